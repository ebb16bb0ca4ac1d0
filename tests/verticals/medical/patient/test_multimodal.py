from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError, ModelError
from core.evaluation.metrics import measure
from verticals.medical.patient.cohort import make_cohort
from verticals.medical.patient.fitting import FUSED, TREES, TRUTH, Estimate, fit_multimodal
from verticals.medical.patient.multimodal import MultimodalModel, Scaling, embedded


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    return fit_multimodal(make_cohort(1600, 0), 0, text="hashing", epochs=16)


def test_all_models_are_judged_on_the_same_rows(estimate) -> None:
    models = estimate.tables["models"].set_index("model")
    assert set(models.index) == {FUSED, "text alone", "labs alone", "vitals alone", TREES, TRUTH}
    assert set(models["n"]) == {len(estimate.test_rows)} == {400}
    assert (models["low"] <= models["auroc"]).all()
    assert (models["auroc"] <= models["high"]).all()


def test_fusing_beats_each_alone_and_not_the_truth(estimate) -> None:
    auroc = estimate.tables["models"].set_index("model")["auroc"]
    assert auroc[FUSED] > max(auroc[["text alone", "labs alone", "vitals alone"]])
    assert auroc[FUSED] > auroc[TREES] - 0.03
    assert auroc[FUSED] < auroc[TRUTH] + 0.02
    assert set(estimate.tables["differences"]["fused network minus"]) == {
        "text alone", "labs alone", "vitals alone", TREES,
    }  # fmt: skip


def test_it_bears_the_loss_of_any_modality(estimate) -> None:
    auroc = estimate.tables["missing"].set_index("given")["auroc"]
    assert (auroc > 0.6).all()
    assert auroc["text + labs + vitals"] >= auroc.max() - 0.02


def test_foretold_shares_are_near_the_observed(estimate) -> None:
    table = estimate.tables["calibration"]
    error = np.sqrt(table["foretold"] * (1 - table["foretold"]) / table["n"]) + 0.02
    assert (abs(table["foretold"] - table["observed"]) < 3 * error).all()
    assert table["foretold"].is_monotonic_increasing


def test_predicts_the_test_rows_as_the_table_says(estimate) -> None:
    test = make_cohort(1600, 0).take(estimate.test_rows)
    p = estimate.model.predict(test.notes, test.labs, test.vitals)
    told = estimate.tables["models"].set_index("model").loc[FUSED, "auroc"]
    assert measure("roc_auc", test.outcome, p) == pytest.approx(told)
    one = estimate.model.predict(test.notes[:1], test.labs[:1], test.vitals[:1])
    assert one == pytest.approx(p[:1], abs=1e-6)


def test_nothing_known_gives_a_probability_still(estimate) -> None:
    p = estimate.model.predict([""], np.full((1, 9), np.nan), np.full((1, 7), np.nan))
    assert 0 < p[0] < 1


def test_a_saved_model_says_the_same(estimate, tmp_path) -> None:
    test = make_cohort(60, 5)
    estimate.model.save(tmp_path / "model")
    assert {f.suffix for f in (tmp_path / "model").iterdir()} == {".safetensors", ".json"}
    loaded = MultimodalModel.load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predict(test.notes, test.labs, test.vitals),
        estimate.model.predict(test.notes, test.labs, test.vitals),
    )
    assert "made-up" in loaded.note


@pytest.mark.parametrize("file", ["model.json", "network.safetensors"])
def test_a_broken_model_is_said_so(estimate, tmp_path, file) -> None:
    estimate.model.save(tmp_path)
    (tmp_path / file).write_bytes(b"{}")
    with pytest.raises(ModelError, match="cannot be read"):
        MultimodalModel.load(tmp_path)


def test_too_few_are_refused() -> None:
    with pytest.raises(DataError, match="too few"):
        fit_multimodal(make_cohort(100, 0), text="hashing")


def test_scaling_bears_missing_and_constant_columns() -> None:
    values = np.array([[1.0, np.nan, 5.0], [3.0, np.nan, 5.0], [np.nan, np.nan, 5.0]])
    scaled = Scaling.of(values).apply(values)
    np.testing.assert_allclose(scaled[:, :3], [[-1, 0, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(scaled[:, 3:], np.isnan(values))


def test_an_empty_note_has_no_vector() -> None:
    vectors = embedded(["", "Lungs are clear.", "  "], "hashing")
    assert vectors.shape == (3, 384)
    assert not vectors[[0, 2]].any()
    assert vectors[1].any()


@pytest.mark.slow
def test_three_thousand_take_less_than_a_minute_and_sentences_count() -> None:
    estimate = fit_multimodal(make_cohort(3000, 0), 0)
    difference = estimate.tables["differences"].set_index("fused network minus")
    assert (difference.loc[["text alone", "labs alone", "vitals alone"], "low"] > 0).all()
    assert estimate.seconds < 120  # 30 s on a free core
