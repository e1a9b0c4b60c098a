"""Comments near a change that name the old mode or an old value are reported, where they stand now."""

import json
import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"

TO_SERVER = """\
# {top}
extends: base.yaml
global_max_length: 4096
training:
  # {far}
  run_name: far
# {section}
rlhf:   # {beside}
  # {banner}

  use_vllm: true
  # {above}
  vllm_mode: colocate   # {end}
  temperature: 0.7   # {sibling}
  vllm_gpu_memory_utilization: 0.45   # {share}
  # {sleeps}
  sleep_level: 1
"""
PLACES = ("top", "far", "section", "beside", "banner", "above", "end", "sibling", "share", "sleeps")


@pytest.fixture
def told(root, migrate):
    """What the report of a text says to look at: line and text by line."""
    shutil.copy(CASES / "base.yaml", root)

    def told(text, *args):
        (root / "preset.yaml").write_text(text)
        found = json.loads(migrate("--report", "json", "--write", *args, "preset.yaml").out)["look_at"]
        lines = (root / "preset.yaml").read_text().split("\n")
        assert all(item["comment"] in lines[item["line"] - 1] for item in found)
        assert all(item["file"] == "preset.yaml" for item in found)
        return [(item["comment"], item["names"]) for item in found]

    return told


def written(**said):
    return TO_SERVER.format(**{**dict.fromkeys(PLACES, "nothing"), **said})


@pytest.mark.parametrize("place", [place for place in PLACES if place not in ("far", "sleeps")])
@pytest.mark.parametrize("mode", ["colocate", "Colocated engine", "co-located", "vllm_mode=colocate"])
def test_the_old_mode_is_found_near_a_change(told, place, mode):
    assert told(written(**{place: mode})) == [(f"# {mode}", "colocate")]


@pytest.mark.parametrize("said", ["colocate", "0.45", "45 %"])
def test_what_stands_far_from_every_change_is_not(told, said):
    assert told(written(far=said)) == []


def test_a_comment_that_goes_is_not(told):
    assert told(written(sleeps="It sleeps: colocate")) == []


@pytest.mark.parametrize("said", ["0.45", "0.450 of it", "45 %", "(45%)", ".45 no, 0.45", "not 0.45."])
def test_an_old_value_is_found_however_it_is_written(told, said):
    assert told(written(share=said)) == [(f"# {said}", "0.45")]


@pytest.mark.parametrize("said", ["0.4", "0.455", "10.45", "v0.45.1", "45", "x0.45"])
def test_another_number_is_not(told, said):
    assert told(written(share=said)) == []


def test_an_old_value_is_not_sought_at_other_keys(told):
    assert told(written(sibling="0.45")) == []


def test_the_header_of_the_section_may_name_an_old_value(told):
    assert told(written(section="engine 0.45, learner 0.5")) == [("# engine 0.45, learner 0.5", "0.45")]


SERVER = """\
# {top}
extends: base.yaml
global_max_length: 4096
custom:
  # {block}
  extra:
    rollout_server:
      vllm_tensor_parallel_size: 1
      vllm_data_parallel_size: 6
      vllm_max_model_len: 8192
      vllm_gpu_memory_utilization: 0.85   # {share}
training:
  # {far}
  run_name: far
rlhf:
  # {mode}
  use_vllm: true
  vllm_mode: server
  vllm_server_host: ["127.0.0.1"]
  vllm_server_port: [8080]
  vllm_server_timeout: 300
"""


@pytest.mark.parametrize(
    ("place", "said", "names"),
    [
        ("top", "Server mode", "server"),
        ("block", "What `swift rollout` gets", "server"),
        ("mode", "--- Rollout servers ---", "server"),
        ("share", "the vllm_server alone has 85 %", "server"),
        ("share", "85 % of a card", "0.85"),
    ],
)
def test_on_the_way_back_the_server_is_the_old_mode(told, place, said, names):
    text = SERVER.format(**{**dict.fromkeys(("top", "block", "share", "far", "mode"), "nothing"), place: said})
    assert told(text, "--to", "colocate") == [(f"# {said}", names)]


@pytest.mark.parametrize("said", ["a server of logs", "an observer"])
def test_on_the_way_back_other_sections_are_not_read(told, said):
    text = SERVER.format(**{**dict.fromkeys(("top", "block", "share", "far", "mode"), "nothing"), "far": said})
    assert told(text, "--to", "colocate") == []


def test_lengths_in_thousands(told):
    text = written() + "  vllm_max_model_len: 2048   # 2k, that is 2,048 tokens\n"
    assert told(text, "--max-model-len", "8192") == [("# 2k, that is 2,048 tokens", "2048")]


def test_the_text_report_says_what_to_look_at(root, migrate):
    shutil.copy(CASES / "base.yaml", root)
    (root / "preset.yaml").write_text(written(banner="Colocate", share="0.45"))
    out = migrate("preset.yaml").out
    look = [
        "Look at these comments, which name the old mode or an old value:",
        "  preset.yaml:9: # Colocate (names colocate)",
        "  preset.yaml:25: # 0.45 (names 0.45)",
    ]
    assert out.splitlines()[-4:] == ["preset.yaml: would be migrated (--write does it)", *look]
    wrong = written(banner="Colocate", share="0.45").replace("rlhf:", "rlhf:\n  no_such_option: 1")
    (root / "preset.yaml").write_text(wrong)
    *_, verdict, title, first, second, last = migrate("--write", "preset.yaml").out.splitlines()
    assert (verdict, title) == ("preset.yaml: written", look[0])
    assert ("Colocate" in first, "0.45" in second) == (True, True)
    assert last == "validate-config and the launchers will refuse preset.yaml until they are fixed"
