"""Peak memory of a process that trains; what is over the reference is the run's own."""

from __future__ import annotations

from .work import experiment, train


class Memory:
    """All of them import, compile and train one seed in `setup`, and the reference does no more than that."""

    timeout = 120

    def setup(self) -> None:
        """Import and compile."""
        self.experiment = experiment("2-4-1", epochs=10)
        train(self.experiment, 1)

    def peakmem_reference(self) -> None:
        """Nothing."""

    def peakmem_run_100k(self) -> None:
        train(self.experiment, 100_000)

    def peakmem_run_1m(self) -> None:
        train(self.experiment, 1_000_000)

    def peakmem_run_1m_keep_params(self) -> None:
        train(self.experiment, 1_000_000, keep_params=True)
