"""The four scores on codes that are perfect, independent, rotated, doubled, collapsed."""

import dataclasses
import json

import numpy as np
import pytest

from vae_tf.evaluation.disentanglement import dci, factor_vae_score, mig, sap
from vae_tf.utils.errors import InputError

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, [3, 5, 4], size=(4000, 3))
# Permuted, scaled and turned around, and one code of noise.
PERFECT = np.column_stack(
    [
        -7.0 * FACTORS[:, 1] + 3,
        RNG.normal(size=4000),
        0.01 * FACTORS[:, 0],
        FACTORS[:, 2] + 0.01 * RNG.normal(size=4000),
    ]
)
INDEPENDENT = RNG.normal(size=(4000, 4))
CENTRED = FACTORS - FACTORS.mean(axis=0)
# Each pair of codes tells the same of two factors.
ROTATED = CENTRED @ np.array([[1.0, 1, 1], [1, -1, 1], [1, 1, -1]])
# Each factor in two codes: complete no more, but each code stands for one factor.
DOUBLED = np.concatenate([CENTRED, CENTRED + 1e-9 * INDEPENDENT[:, :3]], axis=1)
EVERY = {
    "mig": lambda z, v=FACTORS: mig(z, v).score,
    "sap": lambda z, v=FACTORS: sap(z, v).score,
    "sap of categories": lambda z, v=FACTORS: sap(z, v, range(3)).score,
    "disentanglement": lambda z, v=FACTORS: dci(z, v, trees=10).disentanglement,
    "completeness": lambda z, v=FACTORS: dci(z, v, trees=10).completeness,
    "informativeness": lambda z, v=FACTORS: dci(z, v, trees=10).informativeness,
    "factor_vae_score": lambda z, v=FACTORS: factor_vae_score(z, v).adjusted,
}
VOTED = EVERY["factor_vae_score"]  # 800 votes: a standard deviation of 0.025
every = pytest.mark.parametrize("score", EVERY.values(), ids=EVERY)


@every
def test_perfect_is_one_and_independent_is_zero(score):
    assert score(PERFECT) == pytest.approx(1, abs=0.03)
    assert score(INDEPENDENT) == pytest.approx(0, abs=0.08 if score is VOTED else 0.03)


@every
def test_a_code_that_never_changes_is_worth_nothing(score):
    collapsed = np.column_stack([PERFECT, np.zeros(4000), np.full(4000, 5.0)])
    assert score(collapsed) == pytest.approx(1, abs=0.03)


def test_scores_by_hand():
    # One factor of two values; the codes are the factor, and the factor with every fourth flipped.
    factor = np.arange(8000) % 2
    flipped = np.where(np.arange(8000) // 2 % 4 == 0, 1 - factor, factor)
    z = np.column_stack([factor, flipped])
    # I(flipped; factor) = log 2 - H(1/4), over H(factor) = log 2: the gap is the rest.
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert mig(z, factor).score == pytest.approx(entropy / np.log(2))
    # Correlation 0.5, so R² = 0.25; accuracy 0.75, which is 0.5 above chance in shares.
    assert sap(z, factor).score == pytest.approx(0.75)
    assert sap(z, factor, [0]).score == pytest.approx(0.5, abs=0.02)


@every
def test_numbers_of_the_values_do_not_matter(score):
    spread = FACTORS**2 * 10 - 40
    z = np.column_stack([PERFECT[:, 1], spread * [1.0, -0.5, 7]])
    assert score(z, spread) == pytest.approx(1, abs=0.03)


def test_rotated_codes_are_entangled_though_informative():
    assert mig(ROTATED, FACTORS).score < 0.2
    assert sap(ROTATED, FACTORS).score < 0.35
    found = dci(ROTATED, FACTORS, trees=10)
    assert found.disentanglement < 0.5
    assert found.completeness < 0.5
    assert found.informativeness > 0.9
    assert factor_vae_score(ROTATED, FACTORS).adjusted < 0.9


def test_doubled_codes_are_disentangled_but_not_complete():
    assert mig(DOUBLED, FACTORS).score == pytest.approx(0, abs=1e-6)
    found = dci(DOUBLED, FACTORS, trees=50)
    assert found.disentanglement == pytest.approx(1, abs=0.01)
    assert found.completeness == pytest.approx(1 - np.log(2) / np.log(6), abs=0.03)
    assert factor_vae_score(DOUBLED, FACTORS).score == 1


def test_results_repeat_and_go_to_json():
    for score in (mig, sap, dci, factor_vae_score):
        found = score(PERFECT[:500], FACTORS[:500])
        assert found == score(PERFECT[:500], FACTORS[:500])
        json.dumps(dataclasses.asdict(found))
    assert len(mig(PERFECT, FACTORS).factors) == 3
    one, other = (factor_vae_score(INDEPENDENT, FACTORS, seed=seed).score for seed in (1, 2))
    assert one != other


def test_collapsed_codes_have_no_dci():
    found = dci(np.zeros((len(FACTORS), 3)), FACTORS, trees=5)
    scores = (found.disentanglement, found.completeness, found.informativeness)
    assert scores == pytest.approx((0, 0, 0), abs=1e-9)


@pytest.mark.parametrize("score", [mig, sap, dci, factor_vae_score])
@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.zeros((0, 3)), np.zeros((0, 2), int), "codes is empty"),
        (PERFECT[:1], FACTORS[:1], "codes has 1 example"),
        (PERFECT, FACTORS[:-1], "factors has 3999 rows for 4000 codes"),
        (PERFECT[:, :1], FACTORS, "codes has one dimension"),
        (PERFECT, FACTORS + 0.5, "whole numbers"),
        (PERFECT, FACTORS * [1, 0, 1], "factor 1 .* has one value"),
    ],
)
def test_bad_input_is_one_sentence(score, codes, factors, message):
    with pytest.raises(InputError, match=message):
        score(codes, factors)


def test_bad_arguments():
    for score in (dci, factor_vae_score):
        with pytest.raises(InputError, match="expected at least 2: this score compares factors"):
            score(PERFECT, FACTORS[:, 0])
    with pytest.raises(InputError, match="column 3, but factors has the columns 0 to 2"):
        sap(PERFECT, FACTORS, [3])
    with pytest.raises(InputError, match="bins is an int of at least 2; got 1"):
        mig(PERFECT, FACTORS, bins=1)
    with pytest.raises(InputError, match="another value in each example"):
        factor_vae_score(PERFECT, np.column_stack([FACTORS[:, 0], np.arange(4000)]))
