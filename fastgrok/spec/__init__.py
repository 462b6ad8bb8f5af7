"""What an experiment is: network, data, loss, initialisation, optimizer, stopping; and what a sweep varies."""
