"""Everything compiled, and nothing else: see README.md here for the contract of a kernel."""

from fastgrok.kernels.cache import source_fingerprint

source_fingerprint()
