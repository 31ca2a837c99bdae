import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_demo_goes_all_the_way(tmp_path):
    command = [sys.executable, "-m", "vae_tf.cli", "demo", "--json", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=580)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    evaluation = result["evaluation"]
    assert (evaluation["dataset"], evaluation["binarize"]) == ("digits", "threshold")
    assert -30 < evaluation["elbo"] < evaluation["log_prob"] < -10
    assert len(result["pictures"]) == 5
    assert result["sampled"] == {"x": [3, 8, 8, 1], "z": [3, 2]}
    assert (tmp_path / "run" / "saved_model" / "1" / "saved_model.pb").is_file()
    assert result["served"]["samples"] == 16
    assert (tmp_path / "run" / "pictures" / "served.png").stat().st_size > 1000

    command = [sys.executable, "-m", "vae_tf.cli", "report", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Animation of the manifold" in page
    assert page.count("<img") >= 14
