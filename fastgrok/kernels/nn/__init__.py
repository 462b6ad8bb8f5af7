"""The parts of a network: layers, losses, optimizers, the passes through them."""
