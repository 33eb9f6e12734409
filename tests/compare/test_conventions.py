"""compare.conventions and compare.convert_state."""

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn.compare.conventions import ALL, Convention, conventions, convert_state
from minitorch_bn.nn import BatchNorm1d


@pytest.fixture
def batch(rng):
    return rng.normal(2, 3, (8, 3))


def test_table(batch):
    table = conventions(batch)
    rows = {c.name: row for c, row in table.rows.items()}
    assert set(rows) == {c.name for c in ALL}
    assert all(v == 0 for v in rows["PYTORCH"].values())
    m = len(batch)
    unbiased = batch.var(0, ddof=1)
    # D2L stores the biased variance: off by momentum * unbiased / m; everything in train mode is the same
    assert rows["D2L"]["running_var"] == pytest.approx((0.1 * unbiased / m).max(), rel=1e-12)
    assert rows["D2L"]["y"] == 0
    # REVERSED: 0.9 of the new batch instead of 0.1
    assert rows["REVERSED"]["running_mean"] == pytest.approx(np.abs(0.8 * batch.mean(0)).max(), rel=1e-12)
    # MAKEMORE's y is smaller by sqrt((m - 1) / m), but for eps
    y = (batch - batch.mean(0)) / batch.std(0)
    assert rows["MAKEMORE"]["y"] == pytest.approx(np.abs(y).max() * (1 - np.sqrt((m - 1) / m)), rel=1e-4)
    assert rows["CS231N"]["running_var"] > 0.8  # starts at 0


def test_table_prints(batch):
    text = repr(conventions(mt.tensor(batch), steps=10))
    assert "seen 10 times" in text and "REVERSED" in text
    assert "momentum 0.1 weighs the old value: 0.9 of the new" in text
    assert max(map(len, text.splitlines())) < 170
    page = conventions(batch)._repr_html_()
    assert page.count("<tr>") == len(ALL) + 1


def test_table_takes_images(rng):
    assert conventions(rng.normal(size=(2, 3, 4, 4))).rows[Convention.MAKEMORE]["y"] > 0


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((1, 3))])
def test_table_of_bad_batches(bad):
    with pytest.raises(ValueError):
        conventions(bad)
    with pytest.raises(ValueError, match="steps"):
        conventions(np.ones((4, 3)), steps=0)


def trained(convention, batches, momentum):
    layer = BatchNorm1d(3, convention=convention, momentum=momentum, dtype=mt.float64)
    for batch in batches:
        layer(mt.tensor(batch))
    return layer


@pytest.mark.parametrize("src", ALL, ids=str)
@pytest.mark.parametrize("dst", ALL, ids=str)
def test_state_is_what_the_other_convention_would_have_stored(src, dst, batch):
    weight = 0.2
    momenta = {c: weight if c.momentum_weighs == "new" else 1 - weight for c in (src, dst)}
    batches = [batch] * 4  # all alike: then also the root of the average is the average of the roots
    one, other = (trained(c, batches, momenta[c]) for c in (src, dst))
    named = {"weight": 0, "bias": 1, "running_mean": 2, "running_var": 3}
    theirs = {f"net.1.{src.state_names[i]}": getattr(one, name).detach() for name, i in named.items()}
    theirs["net.1.num_batches_tracked"] = one.num_batches_tracked
    theirs["net.0.weight"] = mt.ones(2)
    kept = {key: value.clone() for key, value in theirs.items()}
    got = convert_state(theirs, src, dst, m=len(batch), momentum=momenta[src])
    for name, i in named.items():
        value, wanted = got[f"net.1.{dst.state_names[i]}"].array, getattr(other, name).array
        mixed = name == "running_var" and "std" in (src.stores, dst.stores) and src.stores != dst.stores
        if mixed:  # a mixture of start and batch: the root of the mixture is not the mixture of the roots
            assert value.shape == wanted.shape and (value > 0).all()
        else:
            assert np.abs(value - wanted).max() <= 1e-13 * np.abs(wanted).max()
    assert mt.equal(got["net.0.weight"], mt.ones(2))
    assert all(mt.equal(theirs[key], kept[key]) for key in kept)


def test_state_of_arrays_and_dtype():
    state = {"running_mean": np.zeros(2, np.float32), "running_var": np.ones(2, np.float32)}
    got = convert_state(state, Convention.PYTORCH, Convention.KERAS, m=10)
    assert list(got) == ["moving_mean", "moving_variance"]
    assert got["moving_variance"].dtype == np.float32 and got["moving_variance"] == pytest.approx(0.9)


def test_state_errors():
    state = {"running_mean": np.zeros(2), "running_var": np.ones(2)}
    with pytest.raises(ValueError, match=r"m >= 2.*got m=None"):
        convert_state(state, Convention.PYTORCH, Convention.FLAX)
    with pytest.raises(ValueError, match=r"moving_mean.*KERAS.*running_mean"):
        convert_state(state, Convention.KERAS, Convention.PYTORCH, m=4)
    with pytest.raises(ValueError, match="num_batches_tracked"):
        convert_state(state, Convention.PYTORCH, Convention.CS231N, m=4)
