"""`--fix`: findings that a program can fix are fixed where they stand, and nothing else changes."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from schema import catalogue
from schema.cli import main as validate_config
from schema.layouts.nested import ARGUMENT_SECTIONS
from tests.amounts import examples
from tests.amounts import floor

CASES = Path(__file__).parent / "cases"
SMOKE = Path(__file__).parents[2] / "configs/smoke/server.yaml"
ONE = ("--rollout-gpus", "1", "--train-gpus", "1")
ENGINE = SMOKE.read_text().replace(
    "    rollout_server:\n",
    "    rollout_server:\n      vllm_engine_kwargs: {max_logprobs: 5}  # of the five best\n",
)
COOLER = SMOKE.read_text().replace("\n  temperature: 1.0", "")
#: Text before, text after: what one finding says, and what is done about it.
LINES = {
    "typo": ("  num_generations: 4", "  num_generatons: 4  # of each prompt"),
    "doubled letter": ("  temperature: 1.0", "  temperaturre: 1.0"),
    "swapped letters": ("  max_completion_length: 64", "  max_completion_lenght: 64"),
    "dashes": ("  use_vllm: true", "  use-vllm: true"),
    "section": ("rlhf:", "rlfh:   # how it learns"),
    "quoted key": ("  vllm_mode: server", '  "vllm_mod": server'),
    "host": ('  vllm_server_host: ["127.0.0.1"]', "  vllm_server_host: 127.0.0.1   # here"),
    "port": ("  vllm_server_port: [8080]", "  vllm_server_port: 8080"),
    "typo of a list": ("  vllm_server_port: [8080]", "  vllm_server_prt: 8080"),
    "engine": ("      vllm_tensor_parallel_size: 1", "      tensor_parallel_size: 1"),
    "deepspeed": ("  enabled: true", "  enabeld: true"),
    "engine typo": ("      vllm_max_model_len: ", "      vllm_max_modl_len: "),
}
#: What stays as it is, with the word that validate-config has for it.
DOUBTFUL = {
    "two candidates": ("  temperature: 1.0\n  vllm_server_hort: 8", "unknown"),
    "nothing near": ("  temperature: 1.0\n  whatever_it_is: 1", "unknown"),
    "wrong type": ("  temperature: 1.0\n  beta_: high", "unknown"),
    "both names": ("  temperature: 1.0\n  temperatur: 0.9", "remove it; temperature is set"),
    "another value": ("  temperature: hot", "wrong-type"),
    "merge key": ("  <<: &more {temperatur: 1.0}", "unknown"),
}


@pytest.fixture
def preset(root):
    """A preset that is right for one learner, with a line of its text replaced."""

    def preset(old="", new="", name="preset.yaml", text=None):
        text = SMOKE.read_text() if text is None else text
        assert not old or text.count(f"\n{old}") == 1
        (root / name).write_text(text.replace(f"\n{old}", f"\n{new}") if old else text)
        return root / name

    return preset


@pytest.fixture
def fix(migrate):
    """Runs migrate-config --fix for one GPU on each side."""
    return lambda *args: migrate("--fix", *ONE, *args)


def validate(*args):
    result = CliRunner().invoke(validate_config, [*ONE, *map(str, args)])
    return result.exit_code, result.stdout


def data(path):
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("what", LINES)
def test_one_finding(preset, fix, what):
    right, wrong = LINES[what]
    path = preset(right, wrong)
    assert "`migrate-config --fix` does it" in validate(path)[1]
    before, lines = path.read_text(), path.read_text().splitlines()
    ran = fix(path)
    assert (ran.code, path.read_text()) == (1, before)
    assert "would be fixed (--write does it)" in ran.out
    assert fix(path, "--write").code == 0
    assert data(path) == data(SMOKE)
    assert validate(path) == (0, "")
    changed = [new for old, new in zip(lines, path.read_text().splitlines(), strict=True) if old != new]
    assert len(changed) == 1
    assert "#" not in wrong or wrong.partition("#")[2] in changed[0]
    ran = fix(path, "--write")
    assert (ran.code, ran.out) == (0, f"{path}: nothing to do\n".replace(f"{path.parent}/", ""))


@pytest.mark.parametrize("what", DOUBTFUL)
def test_what_is_in_doubt_stays(preset, fix, files, what):
    new, word = DOUBTFUL[what]
    path = preset("  temperature: 1.0", new)
    found, before = validate(path)[1], files()
    assert word in found
    assert "--fix` does it" not in found
    ran = fix(path, "--write")
    assert (ran.code, files()) == (0, before)
    assert word in ran.out


def test_all_at_once(preset, fix):
    text = SMOKE.read_text()
    for right, wrong in (LINES[what] for what in ("typo", "section", "host", "typo of a list", "engine")):
        text = text.replace(f"\n{right}", f"\n{wrong}")
    path = preset(text=text)
    ran = fix(path, "--write")
    assert (ran.code, data(path)) == (0, data(SMOKE))
    assert "renamed  L" in ran.out
    assert "rlfh -> rlhf" in ran.out
    assert "rlhf.vllm_server_port: 8080 -> [8080]" in ran.out
    assert "comment" not in ran.out
    assert validate(path) == (0, "")


def test_settings_without_effect_go(preset, fix):
    more = "  # Frees memory while it learns.\n  sleep_level: 1\n  offload_model: true   # moves it"
    path = preset("  temperature: 1.0", f"  temperature: 1.0\n{more}")
    assert validate(path)[1].count("fix: remove it (`migrate-config --fix` does it)") == 2
    ran = fix(path, "--write")
    assert (ran.code, data(path)) == (0, data(SMOKE))
    assert "with its comment: # moves it" in ran.out


def test_names_of_older_releases(root, fix):
    """Of 3.10.0: train_type has a new name, save_safetensors is gone, and was at its default."""
    path = root / "preset.yaml"
    old = "tuner: {train_type: lora}\ntraining: {save_safetensors: true}\n"
    path.write_text(f"extends: base.yaml\n{old}")
    shutil.copy(CASES / "base.yaml", root)
    ran = fix(path, "--swift-version", "4.6.0", "--write")
    assert ran.code == 0, ran.out + ran.err
    assert data(path) == {"extends": "base.yaml", "tuner": {"tuner_type": "lora"}, "training": {}}
    path.write_text(path.read_text().replace("tuner_type", "train_type"))
    assert fix(path, "--swift-version", "3.10.0", "--check").code == 0


def test_old_name_that_overrides_the_new_one(preset, fix):
    path = preset("  max_completion_length: 64", "  response_length: 64")
    assert fix(path, "--write").code == 0
    assert data(path) == data(SMOKE)


def test_engine_argument(preset, fix):
    path = preset(text=ENGINE.replace("max_logprobs: 5", "max_logprob: 5"))
    assert "has no engine argument max_logprob; did you mean max_logprobs?" in validate(path)[1]
    assert fix(path, "--write").code == 0
    assert path.read_text() == ENGINE


def test_what_was_no_default_stays(root, fix, files):
    (root / "preset.yaml").write_text("extends: base.yaml\ntraining: {save_safetensors: false}\n")
    shutil.copy(CASES / "base.yaml", root)
    before = files()
    ran = fix("preset.yaml", "--swift-version", "4.6.0", "--write")
    assert (ran.code, files()) == (0, before)
    assert "unknown key training.save_safetensors" in ran.out


def test_what_comes_to_light_is_told(preset, fix):
    """A misspelt number counts once it is spelled right, and may be wrong."""
    path = preset("  num_generations: 4", "  num_generatons: 3")
    ran = fix(path, "--write")
    assert ran.code == 0
    assert "Findings that are left:\n" in ran.out
    assert "not divisible by num_generations 3" in ran.out
    assert ran.out.endswith("validate-config and the launchers will refuse preset.yaml until they are fixed\n")


@pytest.fixture
def family(preset, root):
    """A base with a misspelt key, and two presets that extend it."""
    preset("  num_generations: 4", "  num_generatons: 4", name="base.yaml")
    for name in ("one.yaml", "two.yaml"):
        (root / name).write_text("extends: base.yaml\ntraining: {seed: 7}\n")
    return root


def test_base_that_is_not_named_stays(family, fix, files):
    before = files()
    ran = fix("one.yaml", "--write")
    assert (ran.code, files()) == (0, before)
    assert (
        "not fixed: 1 finding in base.yaml, which is not named; name it, too, or pass --include-bases" in ran.err
    )


@pytest.mark.parametrize("args", [("base.yaml", "one.yaml"), ("one.yaml", "--include-bases"), ("base.yaml",)])
def test_preset_that_is_not_named_must_not_change(family, fix, files, args):
    before = files()
    ran = fix(*args, "--write")
    assert (ran.code, files()) == (2, before)
    assert "two.yaml would change, too; name every preset that extends this file in the same call" in ran.err


@pytest.mark.parametrize(
    "args", [("base.yaml", "one.yaml", "two.yaml"), ("one.yaml", "two.yaml", "--include-bases")]
)
def test_whole_family(family, fix, args):
    assert fix(*args, "--write").code == 0
    assert data(family / "base.yaml") == data(SMOKE)
    assert validate("base.yaml", "one.yaml", "two.yaml") == (0, "")


def test_effect_in_another_preset_of_the_call(root, fix, files):
    """What has no effect beside a server has one in the colocate preset that shares the base."""
    shutil.copy(CASES / "base.yaml", root / "common.yaml")
    part = "rlhf: {sleep_level: 1, use_vllm: true, vllm_mode: server}\n"
    (root / "part.yaml").write_text(part)
    (root / "server.yaml").write_text("extends: [common.yaml, part.yaml]\n")
    (root / "dense.yaml").write_text("extends: [common.yaml, part.yaml]\nrlhf: {vllm_mode: colocate}\n")
    before = files()
    ran = fix("server.yaml", "dense.yaml", "part.yaml", "--write")
    assert (ran.code, files()) == (0, before), ran.out
    assert "rlhf.sleep_level may have an effect in dense.yaml, where it is no finding" in ran.err


def test_names_are_right_before_anything_goes(root, fix):
    """What has no effect in server mode has one in colocate mode, which the misspelt key sets."""
    shutil.copy(SMOKE, root / "base.yaml")
    text = "extends: base.yaml\nrlhf: {vllm_mod: colocate, sleep_level: 1, vllm_server_host: null}\n"
    (root / "preset.yaml").write_text(text)
    assert fix("preset.yaml", "--write").code == 0
    assert (root / "preset.yaml").read_text() == text.replace("vllm_mod:", "vllm_mode:")


def test_override_of_the_same_misspelt_key(family, fix, files):
    """Once the base's key is renamed, nothing would override it."""
    (family / "one.yaml").write_text("extends: base.yaml\nrlhf: {num_generatons: null}\n")
    before = files()
    ran = fix("base.yaml", "one.yaml", "two.yaml", "--write")
    assert (ran.code, files()) == (0, before)
    assert "rlhf.num_generatons is set in one.yaml, too, which would count instead" in ran.err


def test_removal_that_would_bring_up_the_value_of_a_base(root, fix, files):
    shutil.copy(SMOKE, root / "common.yaml")
    (root / "base.yaml").write_text("extends: common.yaml\nrlhf: {offload_model: true}\n")
    (root / "preset.yaml").write_text("extends: base.yaml\nrlhf: {offload_model: false}\n")
    before = files()
    ran = fix("preset.yaml", "--write")
    assert (ran.code, files()) == (0, before)
    assert "rlhf.offload_model is set in base.yaml, too, which would count instead" in ran.err


def test_two_keys_that_mean_the_same(preset, fix, files):
    path = preset("rlhf:", "rlhf:\n  temperatur: 0.9\n  temperture: 0.8", text=COOLER)
    before = files()
    ran = fix(path, "--write")
    assert (ran.code, files()) == (0, before)
    assert ran.err.count("and another key of this file would both become temperature") == 2


def test_names_that_are_other_words(preset, fix, files):
    """A letter makes another word of a short one, and a digit another number."""
    words = ("use_gpu: true", "min_length: 16", "beta2: 0.9", "bf32: true", "epsilon_2: 0.3", "warmup_rate: 0.1")
    path = preset("  temperature: 1.0", "".join(f"  {word}\n" for word in words) + "  temperature: 1.0")
    before, found = files(), validate(path)[1]
    assert (found.count("error[unknown-key]"), "--fix` does it" in found) == (len(words), False)
    assert (fix(path, "--write").code, files()) == (0, before)


@pytest.mark.parametrize("text", ["accuracy format", "accuracy,format", "", "|\n    accuracy"])
def test_text_that_may_be_several_items(preset, fix, files, text):
    funcs = next(line for line in SMOKE.read_text().splitlines() if line.startswith("  reward_funcs:"))
    path = preset(funcs, f"  reward_funcs: {text if '|' in text else json.dumps(text)}")
    before = files()
    assert "--fix` does it" not in validate(path)[1]
    assert (fix(path, "--write").code, files()) == (0, before)


@pytest.mark.parametrize("line", ["date: 2024-01-01", "mode: server", "tune: true", "extend: base.yaml"])
def test_what_is_no_section(preset, fix, files, line):
    path = preset(text=f"{line}\n{SMOKE.read_text()}")
    before = files()
    assert "unknown section" in validate(path)[1]
    assert (fix(path, "--write").code, files()) == (0, before)


def test_both_files_of_a_pair(root, fix):
    shutil.copytree(CASES.with_name("cases-flat") / "back/before", root, dirs_exist_ok=True)
    names = sorted(path.name for path in root.glob("*.yaml"))
    name = next(each for each in names if each.replace(".yaml", ".rollout.yaml") in names)
    half = root / name.replace(".yaml", ".rollout.yaml")
    right = data(root / name), data(half)
    for path, key in ((root / name, "num_generations"), (half, "vllm_gpu_memory_utilization")):
        assert f"\n{key}:" in path.read_text()
        path.write_text(path.read_text().replace(f"\n{key}:", f"\n{key[:-2]}{key[-1]}:"))
    ran = fix(name, "--write")
    assert ran.code == 0
    assert (data(root / name), data(half)) == right, ran.out


def test_silenced_findings_stay(preset, fix, files):
    path = preset("  num_generations: 4", "  num_generatons: 4  # rollout-split: ignore[unknown-key] mine")
    before = files()
    assert (fix(path, "--write").code, files()) == (0, before)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--to", "server"), "--fix and --to exclude each other"),
        (("--port", "8000"), "--fix and --port exclude each other"),
        (("--suffix", "_x"), "--fix and --suffix exclude each other"),
        (("--mask-bases",), "--fix and --mask-bases exclude each other"),
    ],
)
def test_options_of_migrations(preset, fix, args, message):
    ran = fix(preset(), *args)
    assert (ran.code, message in ran.err) == (2, True)


def test_what_is_no_preset(root, fix):
    (root / "x.sh").write_text("swift rlhf --rlhf_type grpo --num_generatons 4\n")
    (root / "ci.yaml").write_text("on: push\n")
    ran = fix("x.sh")
    assert (ran.code, "is a script, which is read and never written" in ran.err) == (2, True)
    assert fix("ci.yaml").code == 2
    assert "--fix" not in validate("x.sh")[1]


def test_json(preset, fix):
    path = preset("  num_generations: 4", "  num_generatons: 4")
    (change,) = json.loads(fix(path, "--format", "json").out)["changes"]
    assert (change["kind"], change["key"], change["to"]) == (
        "renamed",
        "rlhf.num_generatons",
        "rlhf.num_generations",
    )
    found = json.loads(validate(path, "--format", "json")[1])["findings"]
    assert {each["rule"]: each["fixable"] for each in found} == {"unknown-key": True, "num-generations": False}


@st.composite
def slips(draw):
    """A preset, and the same with a letter of one argument's name lost, doubled or wrong."""
    text = SMOKE.read_text()
    right = yaml.safe_load(text)
    known = catalogue.release("4.5.2").trainer
    names = [name for section in ARGUMENT_SECTIONS for name in right.get(section, {}) if name in known]
    name = draw(st.sampled_from(names))
    place = draw(st.integers(1, len(name) - 1))
    letter = draw(st.sampled_from(["", name[place] * 2, "x", "-"]))
    slip = name[:place] + letter + name[place + 1 :]
    return text, name, slip, text.replace(f"\n  {name}:", f"\n  {slip}:")


def test_any_slip_is_fixed_or_stays(preset, fix):
    with floor(0.6) as showed:

        @examples(80)
        @given(slips())
        def check(slip):
            text, name, wrong, mutated = slip
            path = preset(text=mutated)
            fix(path, "--write")
            left = path.read_text()
            assert left in (text, mutated), (name, wrong)
            showed.append(left == text)

        check()
