"""Every notebook: its two files say the same, it runs from a clean kernel in time, a reader of the .ipynb sees all."""

import copy

import nbformat
import pytest

from notebooks import build

SOURCES = build.sources()
every_notebook = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def committed(source):
    """Read the .ipynb that lies beside `source`."""
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def cells_of(notebook):
    """What the .py decides about every cell."""
    keys = ("tags", "jupyter")
    return [(c.cell_type, c.source, {k: c.metadata[k] for k in keys if k in c.metadata}) for c in notebook.cells]


def test_there_are_notebooks():
    assert "01_engine" in [source.stem for source in SOURCES]


def test_no_ipynb_without_source():
    made = {source.with_suffix(".ipynb") for source in SOURCES}
    assert set(build.NOTEBOOKS.glob("*.ipynb")) <= made


@every_notebook
def test_both_files_say_the_same(source):
    assert source.with_suffix(".ipynb").exists(), f"run: python notebooks/build.py {source.stem}"
    written, made = cells_of(build.convert(source)), cells_of(committed(source))
    differing = [i for i, (a, b) in enumerate(zip(written, made, strict=False)) if a != b]
    assert written == made, f"cells {differing or 'at the end'} differ: run python notebooks/build.py {source.stem}"


@every_notebook
def test_runs_from_a_clean_kernel_in_time(source):
    notebook, seconds = build.execute(build.convert(source), source.stem)
    assert seconds < build.LIMIT, f"{source.stem} took {seconds:.0f} s, wanted less than {build.LIMIT} s"
    build.tidy(notebook)
    assert build.complaints(notebook) == []
    assert len(build.pictures(notebook)) == len(build.pictures(committed(source)))


@every_notebook
def test_a_reader_sees_the_outputs(source):
    notebook = committed(source)
    nbformat.validate(notebook)
    ran = [cell for cell in build.code_cells(notebook) if cell.source]
    counts = [cell.execution_count for cell in ran]
    assert counts == list(range(1, len(ran) + 1)), "not executed in one go: run notebooks/build.py"
    assert any(cell.outputs for cell in ran)
    assert build.pictures(notebook), "wanted at least one picture"
    errors = [i for i, c in enumerate(ran, 1) for o in c.outputs if o.output_type == "error"]
    assert errors == [], f"cells [{errors}] show an error"


@every_notebook
def test_nothing_tells_of_a_machine(source):
    notebook = committed(source)
    assert build.complaints(notebook) == []
    assert notebook.metadata.language_info == {"name": "python"}
    assert not any("execution" in cell.metadata for cell in notebook.cells)


@every_notebook
def test_opens_with_a_question_and_ends_with_an_assertion(source):
    notebook = build.convert(source)
    first, last = notebook.cells[0], build.code_cells(notebook)[-1]
    assert first.cell_type == "markdown" and "?" in first.source, "wanted the question in the first cell"
    asserts = [line for line in last.source.splitlines() if line.startswith("assert ")]
    assert asserts, "wanted an assert in the last code cell"


# ---- build.py itself -------------------------------------------------------------------------------------------------


def notebook_of(*outputs, source="1"):
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    return nbformat.v4.new_notebook(cells=[cell])


def printed(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def path(*parts):
    """Join an absolute path, which a source must not hold."""
    return "/".join(["", *parts])


@pytest.mark.parametrize(
    "text",
    [
        f"see {path('work', 'main', 'x.py')}",
        f"\x1b[32m{path('tmp', 'x.py')}",
        f'"{path("home", "me")}"',
        "\\".join(["C:", "Users"]),
        f"<Op object at {hex(2**46)}>",
    ],
)
def test_complaints_finds(text):
    assert len(build.complaints(notebook_of(printed(text)))) == 1
    assert len(build.complaints(notebook_of(source=text))) == 1


def test_complaints_finds_the_host(monkeypatch):
    monkeypatch.setattr(build.socket, "gethostname", lambda: "box-17")
    assert len(build.complaints(notebook_of(printed("ran on box-17")))) == 1
    assert build.complaints(notebook_of(printed("ran on box-178"))) == []


@pytest.mark.parametrize("text", ["minitorch_bn/engine.py", "../tmp/x", "https://a.org/home/x", "1/usr/2", "d:x"])
def test_complaints_accepts(text):
    assert build.complaints(notebook_of(printed(text))) == []


def test_tidy_twice_is_tidy_once():
    notebook = notebook_of(printed("a"), printed("b"))
    notebook.cells[0].metadata["execution"] = {"started": "now"}
    notebook.metadata["language_info"] = {"name": "python", "version": "3"}
    build.tidy(notebook)
    once = copy.deepcopy(notebook)
    build.tidy(notebook)
    assert notebook == once
    assert [output.text for output in notebook.cells[0].outputs] == ["ab"]
    assert notebook.cells[0].metadata == {} and notebook.metadata == {"language_info": {"name": "python"}}


def test_write_text_replaces_the_whole_file(tmp_path):
    target = tmp_path / "x.ipynb"
    target.write_text("old")
    build.write_text(target, "new")
    assert target.read_text() == "new" and list(tmp_path.iterdir()) == [target]


def test_sources_by_the_start_of_a_name():
    assert [path.stem for path in build.sources(["01"])] == ["01_engine"]
    assert build.sources(["01_engine.ipynb"]) == build.sources(["notebooks/01_engine.py"])
    with pytest.raises(SystemExit, match="no notebook starts with '99'"):
        build.sources(["99"])
