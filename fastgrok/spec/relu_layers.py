"""The ReLU layers of several networks, side by side."""

from collections.abc import Iterable
from typing import NamedTuple

from fastgrok.spec.network import Network


class ReluLayer(NamedTuple):
    """A ReLU layer."""

    linear: int  # the number, from 1, of the Linear layer that it follows
    occurrence: int  # 1, or more where several ReLU layers follow the same Linear layer

    def column(self, name: str) -> str:
        """
        Return the name of a variable's column for this layer in a table.

        Examples
        --------
        >>> ReluLayer(2, 1).column("dead_units_final")
        'dead_units_final_2'
        """
        return f"{name}_{self.linear}" + (f"_{self.occurrence}" if self.occurrence > 1 else "")


def relu_layers(network: Network) -> list[ReluLayer]:
    """
    Return the ReLU layers of a network, in order.

    Examples
    --------
    >>> import fastgrok as fg
    >>> relu_layers(fg.mlp(2, 4, 4, 1))
    [ReluLayer(linear=1, occurrence=1), ReluLayer(linear=2, occurrence=1)]
    """
    numbers = network.relu_layers
    return [ReluLayer(number, numbers[: k + 1].count(number)) for k, number in enumerate(numbers)]


def all_relu_layers(networks: Iterable[Network]) -> list[ReluLayer]:
    """
    Return every ReLU layer that some of the networks have, in order.

    Examples
    --------
    >>> import fastgrok as fg
    >>> [layer.linear for layer in all_relu_layers([fg.mlp(2, 1), fg.mlp(2, 4, 1), fg.mlp(2, 4, 4, 1)])]
    [1, 2]
    """
    return sorted({layer for network in networks for layer in relu_layers(network)})
