"""The safetensors container: named arrays and texts in one file, without pickle. A reader and a writer.

    8 bytes    length of the header, a little-endian integer
    header     JSON: {name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {text: text}}
    data       the arrays one after the other, rows last, little-endian; offsets count from here

Source: the safetensors format, github.com/huggingface/safetensors, "Format". The library reads what this file writes,
and the other way round; it is not needed.
"""

import json
import math

import numpy as np

METADATA = "__metadata__"
CODES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?"}
CODES |= {f"{letter}{8 * size}": f"<{letter.lower()}{size}" for letter in "IU" for size in (1, 2, 4, 8)}
_CODE_OF = {np.dtype(text): code for code, text in CODES.items()}


def code_of(dtype):
    """The format's name of a NumPy dtype; None where it has none."""
    return _CODE_OF.get(dtype.newbyteorder("<"))


def write(arrays, metadata, f):
    """Write {name: NumPy array} and {text: text} to a file object."""
    header, end = {METADATA: metadata}, 0
    names = sorted(
        arrays, key=lambda name: -arrays[name].itemsize
    )  # so that every array begins at a multiple of its size
    for name in names:
        array = arrays[name]
        header[name] = {"dtype": code_of(array.dtype), "shape": array.shape, "data_offsets": (end, end + array.nbytes)}
        end += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    f.write(len(text).to_bytes(8, "little") + text)
    for name in names:
        f.write(np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<")).tobytes())


def read(data):
    """The arrays and texts in the bytes of a file: ({name: NumPy array}, {text: text}). bfloat16 becomes float32.

    Raises
    ------
    RuntimeError
        If the file is cut off, or says what cannot be.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8:start])
        metadata = header.pop(METADATA, {})
        arrays = {name: _array(data, start, **entry) for name, entry in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise RuntimeError(f"load: the file is cut off or damaged ({error})") from None
    return arrays, metadata


def _array(data, start, dtype, shape, data_offsets):
    """One array, in memory of its own."""
    first, last = data_offsets
    stored = "<u2" if dtype == "BF16" else CODES[dtype]
    size = np.dtype(stored).itemsize * math.prod(shape)
    if not 0 <= first <= last <= len(data) - start or last - first != size or min(shape, default=0) < 0:
        raise ValueError(f"{dtype} {shape} at bytes {first} to {last} of {len(data) - start}")
    array = np.frombuffer(data, stored, math.prod(shape), start + first).reshape(shape)
    return from_bfloat16(array) if dtype == "BF16" else array.astype(array.dtype.newbyteorder("="))


def from_bfloat16(bits):
    """float32 numbers from the upper halves of their bits, which is what bfloat16 is.

    >>> from_bfloat16(np.array([0x3F80, 0xC000], "<u2"))
    array([ 1., -2.], dtype=float32)
    """
    return (bits.astype(np.uint32) << 16).view(np.float32)
