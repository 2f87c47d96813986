import numpy as np
import pytest

from labelling.core.enlarging import enlarge


def test_between_two_centres_the_numbers_run_evenly_and_the_edges_stay() -> None:
    row = enlarge(np.array([[[100, 200]]], np.uint16), factor=2, nodata=None)
    assert row.tolist() == [[[100, 125, 175, 200], [100, 125, 175, 200]]]


@pytest.mark.parametrize("factor", [2, 3, 6])
def test_an_even_slope_stays_one_and_the_mean_is_kept(factor: int) -> None:
    rows, columns = np.mgrid[0:20, 0:30]
    ground = (500 + 60 * rows + 90 * columns)[None].astype(np.float32)
    fine = enlarge(ground, factor=factor, nodata=None)
    assert fine.shape == (1, 20 * factor, 30 * factor)
    inner = fine[0, factor:-factor, factor:-factor]
    assert np.diff(inner, axis=1) == pytest.approx(90 / factor, abs=0.01)
    assert np.diff(inner, axis=0) == pytest.approx(60 / factor, abs=0.01)
    assert fine.mean() == pytest.approx(ground.mean(), rel=1e-4)


@pytest.mark.parametrize(("dtype", "nodata"), [(np.uint16, 0), (np.uint16, 65535), (np.float32, np.nan)])
def test_no_data_stays_where_it_is_and_is_not_mixed_in(dtype: type[np.generic], nodata: float) -> None:
    ground = np.full((2, 6, 6), 3000, dtype)
    ground[0, 2, 2] = nodata
    fine = enlarge(ground, factor=3, nodata=nodata)
    gone = np.isnan(fine) if np.isnan(nodata) else fine == nodata
    assert gone[0, 6:9, 6:9].all()
    assert gone.sum() == 9
    assert (fine[~gone] == 3000).all()


def test_a_part_with_a_margin_is_the_same_as_the_whole() -> None:
    ground = np.random.default_rng(0).integers(0, 9000, (1, 12, 12)).astype(np.uint16)
    whole = enlarge(ground, factor=6, nodata=0)
    part = enlarge(ground[:, 2:9, 3:10], factor=6, nodata=0)
    assert (part[:, 6:-6, 6:-6] == whole[:, 18:48, 24:54]).all()
