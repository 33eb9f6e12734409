"""The raw numbers of PyTorch's CPU generator, mt19937: seed, state, and the stream itself.

random.py makes samples of them. Source: Matsumoto & Nishimura 1998, "Mersenne Twister", ACM TOMACS 8(1); PyTorch:
ATen/core/MT19937RNGEngine.h, ATen/CPUGeneratorImpl.cpp (the bytes of a state).
"""

import operator
import secrets

import numpy as np

DEFAULT_SEED = 67280421310721  # what PyTorch gives a new Generator; the larger prime factor of 2**64 + 1
BLOCK = 16 * 624  # raw numbers produced ahead at a time; mt19937 itself makes 624 at a time

# The bytes of PyTorch's own generator state, so that a state can be carried from one to the other.
STATE_LAYOUT = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # draws until the 624 words are exhausted, plus one
        ("seeded", "<i4"),
        ("next", "<u8"),  # index of the next word to hand out
        ("words", "<u8", 624),
        ("unused_normal", "<f8"),
        ("second_normal", "<f8"),  # the cached sample of `normal`
        ("unused_radius", "<f8"),
        ("has_second_normal", "<i8"),
        ("unused_float", "<i8"),
    ]
)


class RawStream:
    """A place in the stream of raw numbers: what random.Generator is built on.

    >>> RawStream().manual_seed(5489).random32(2)  # the first numbers of the authors' own program
    array([3499211612,  581869302], dtype=uint32)
    """

    state_type = staticmethod(
        np.asarray
    )  # what `get_state` gives its bytes as; creation.py sets Tensor here, as in PyTorch

    def __init__(self):
        self._engine = np.random.RandomState()
        self.manual_seed(DEFAULT_SEED)

    # ---- seed and state

    def manual_seed(self, seed):
        """Start again at the place in the stream that `seed` names.

        Only the lowest 32 bits of the seed choose the place, as in PyTorch: 5 and 2**32 + 5 give the same numbers.

        Parameters
        ----------
        seed : int
            From -2**63 to 2**64 - 1; a negative one stands for 2**64 + seed.

        Returns
        -------
        Generator
            This generator.

        Raises
        ------
        RuntimeError
            If `seed` is not an int.
        ValueError
            If `seed` is out of range (2.13 raises this, although PyTorch's documentation says RuntimeError).
        """
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}: pass an int")
        seed = operator.index(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: seed must be from -2**63 to 2**64 - 1, got {seed}")
        self._seed = seed % 2**64
        self._engine.seed(self._seed % 2**32)
        self._second_normal = None  # see `normal`
        self._forget_block()
        self._next = 0
        return self

    def initial_seed(self):
        """Return the seed last given, as an int from 0 to 2**64 - 1."""
        return self._seed

    def seed(self):
        """Take a seed from the operating system's entropy, use it and return it (an int of 64 bits)."""
        self.manual_seed(secrets.randbits(64))
        return self._seed

    def get_state(self):
        """Return the generator's whole state: seed, place in the stream, cached normal sample.

        Returns
        -------
        Tensor of shape (5056,), uint8
            PyTorch's own bytes: `torch.set_rng_state(torch.from_numpy(state.numpy()))` continues this stream in
            PyTorch. Inside of this file, and before the package is complete, an ndarray.
        """
        engine = np.random.RandomState()
        engine.set_state(self._block_start)  # the block was made ahead: go back, and forward by what was handed out
        _raw_numbers(engine, self._used)
        _, words, position, *_ = engine.get_state()
        state = np.zeros(1, STATE_LAYOUT)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, words
        state["next"], state["left"] = position if self._drawn else self._next, 625 - position
        if self._second_normal is not None:
            state["second_normal"], state["has_second_normal"] = self._second_normal, 1
        return self.state_type(state.view(np.uint8))

    def set_state(self, new_state):
        """Continue from a state that `get_state` returned, here or in PyTorch; returns itself.

        Parameters
        ----------
        new_state : Tensor or ndarray of shape (5056,), uint8

        Raises
        ------
        TypeError
            If `new_state` is not a tensor or array of uint8.
        RuntimeError
            If it has the wrong size, or its bytes are not the state of an mt19937.
        """
        new_state = getattr(new_state, "array", new_state)
        if getattr(new_state, "dtype", None) != np.uint8:
            got = getattr(new_state, "dtype", type(new_state).__name__)
            raise TypeError(f"set_state: RNG state must be a tensor of uint8, got {got}")
        if new_state.size != STATE_LAYOUT.itemsize:
            raise RuntimeError(f"set_state: a state has {STATE_LAYOUT.itemsize} bytes, got {new_state.size}")
        state = np.frombuffer(np.asarray(new_state).tobytes(), STATE_LAYOUT)[0]
        if state["seeded"] != 1 or not 1 <= state["left"] <= 624 or state["next"] > 624:
            raise RuntimeError("set_state: these bytes are not an mt19937 state; pass what get_state() returned")
        position = 624 if state["left"] == 1 else int(state["next"])
        self._engine.set_state(("MT19937", state["words"].astype(np.uint32), position))
        self._seed = int(state["seed"])
        self._second_normal = float(state["second_normal"]) if state["has_second_normal"] & 1 else None
        self._forget_block()
        self._next = int(state["next"])
        return self

    def clone_state(self):
        """Return a second one at the same place in the stream; from then on the two are independent."""
        twin = type(self)()
        twin.set_state(self.get_state())
        return twin

    # ---- raw draws

    def random32(self, n):
        """Return the next `n` raw numbers, whole numbers from 0 to 2**32 - 1. Uses `n` draws.

        NumPy's RandomState has the same engine and the same seeding as PyTorch (and its stream is frozen by NumPy's
        promise of compatibility). One call for a few numbers would cost more than the numbers, so a block of them is
        made ahead, and the engine's state at the start of that block is kept for `get_state`.

        Parameters
        ----------
        n : int

        Returns
        -------
        ndarray of shape (n,), uint32
        """
        draws = self._block[self._used : self._used + n]
        self._used += len(draws)
        missing = n - len(draws)
        if missing == 0:
            return draws
        self._drawn = True
        whole_blocks = _raw_numbers(self._engine, missing - missing % BLOCK)  # a long request does not pass the block
        self._block_start = self._engine.get_state()
        self._block = _raw_numbers(self._engine, BLOCK)
        self._used = missing % BLOCK
        return np.concatenate([draws, whole_blocks, self._block[: self._used]])

    def random64(self, n):
        """Return the next `n` numbers from 0 to 2**64 - 1. Uses 2 * n draws: high half first, then low half.

        Parameters
        ----------
        n : int

        Returns
        -------
        ndarray of shape (n,), uint64
        """
        halves = self.random32(2 * n)
        return (halves[0::2].astype(np.uint64) << 32) | halves[1::2]

    def _forget_block(self):
        """Drop the numbers made ahead: the engine itself stands at the right place."""
        self._block_start = self._engine.get_state()
        self._block = np.empty(0, np.uint32)
        self._used = 0
        self._drawn = False  # since then; `_next` is what PyTorch writes for the place where that was


def _raw_numbers(engine, n):
    """Return the next `n` outputs of mt19937, uint32: asked for the whole range, NumPy hands them out unchanged."""
    return engine.randint(0, 2**32, n, dtype=np.uint32)
