"""The same training done by fastgrok and by its peers, checked to agree and then timed side by side.

``python -m benchmarks.peers`` measures everything in one run; DESIGN §7 says what must be reached.
"""
