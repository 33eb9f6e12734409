"""The switches of cuDNN, with PyTorch's defaults. There is no cuDNN here: they keep what is written and change nothing.

What they are for holds on the CPU anyway: the same seed gives the same numbers on one machine.
"""

enabled = True
benchmark = False
deterministic = False


def is_available():
    """Whether cuDNN is used: False."""
    return False
