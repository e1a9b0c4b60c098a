"""What the shipped catalogue says of the releases, and how it fails."""

import shutil

import pytest

from schema import catalogue
from schema.catalogue import load
from tools.extract import store

INHERITED = ("TrainingArguments", "Seq2SeqTrainingArguments")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A copy of the data files, which the catalogue reads instead of its own."""
    monkeypatch.setattr(load, "DATA", shutil.copytree(load.DATA, tmp_path / "data"))
    return load.DATA


def test_every_release_from_the_first_supported_one_is_catalogued_in_order():
    versions = catalogue.versions()
    assert len(versions) == 39
    assert (versions[0], versions[-1], catalogue.newest()) == ("3.10.0", "4.6.0", "4.6.0")
    assert versions[8:10] == ("3.12.0", "3.12.1")


@pytest.mark.parametrize(
    ("version", "trainer", "server"),
    [("3.10.0", 443, 151), ("4.0.0", 445, 161), ("4.5.2", 475, 166), ("4.6.0", 481, 170)],
)
def test_release_holds_all_options(version, trainer, server):
    release = catalogue.release(version)
    assert (len(release.trainer), len(release.server)) == (trainer, server)
    assert release.version == version


@pytest.mark.parametrize(
    ("version", "count"),
    [
        ("3.10.3", 333),
        ("3.11.3", 343),
        ("3.12.0", 350),
        ("3.12.6", 355),
        ("4.0.0", 359),
        ("4.0.4", 362),
        ("4.1.3", 362),
        ("4.2.0", 364),
        ("4.2.3", 368),
        ("4.3.2", 373),
        ("4.5.2", 388),
    ],
)
def test_release_holds_ms_swifts_own_trainer_options(version, count):
    fields = catalogue.release(version).trainer.values()
    assert sum(field.declared_by not in INHERITED for field in fields) == count


@pytest.mark.parametrize(
    ("name", "before", "since"),
    [
        ("vllm_server_group_port", "3.10.3", "3.11.0"),
        ("structured_outputs_regex", "3.11.3", "3.12.0"),
        ("tuner_type", "3.12.6", "4.0.0"),
        ("teacher_kl_coef", "4.3.2", "4.4.0"),
        ("min_p", "4.4.2", "4.5.0"),
    ],
)
def test_option_appears(name, before, since):
    assert name not in catalogue.release(before).trainer
    assert name in catalogue.release(since).trainer


@pytest.mark.parametrize(
    ("name", "last", "gone"), [("ckpt_dir", "3.12.6", "4.0.0"), ("train_type", "4.0.4", "4.1.0")]
)
def test_option_disappears(name, last, gone):
    assert name in catalogue.release(last).trainer
    assert name not in catalogue.release(gone).trainer


@pytest.mark.parametrize(
    ("name", "before", "old", "since", "new"),
    [
        ("vllm_mode", "3.11.0", "colocate", "3.11.1", None),
        ("vllm_server_group_port", "3.11.0", [51216], "3.11.1", None),
        ("vllm_max_num_seqs", "3.10.3", 256, "3.11.0", None),
        ("vllm_use_async_engine", "3.12.0", False, "3.12.1", None),
        ("train_type", "3.12.6", "lora", "4.0.0", None),
        ("top_k", "4.0.2", 50, "4.0.3", -1),
        ("top_p", "4.0.2", 0.9, "4.0.3", 1.0),
    ],
)
def test_default_changes(name, before, old, since, new):
    assert catalogue.release(before).trainer[name].default == old
    assert catalogue.release(since).trainer[name].default == new


@pytest.mark.parametrize(
    ("name", "trainer", "server"),
    [
        ("load_args", False, True),
        ("repetition_penalty", 1.0, None),
        ("temperature", 0.9, None),
        ("top_k", -1, None),
        ("top_p", 1.0, None),
        ("vllm_enable_prefix_caching", True, None),
        ("vllm_max_num_seqs", None, 256),
    ],
)
def test_trainer_and_server_have_their_own_defaults(name, trainer, server):
    release = catalogue.release("4.5.2")
    assert (release.trainer[name].default, release.server[name].default) == (trainer, server)


def test_no_vllm_option_is_the_servers_alone():
    for version in catalogue.versions():
        release = catalogue.release(version)
        alone = release.server.keys() - release.trainer.keys()
        assert [name for name in alone if name.startswith("vllm_")] == []


@pytest.mark.parametrize("name", ["vllm_client", "_n_gpu"])
def test_what_cannot_be_set_is_no_option(name):
    assert name not in catalogue.release("3.10.0").trainer


@pytest.mark.parametrize(
    ("name", "kind", "many", "nullable", "choices"),
    [
        ("learning_rate", "float", False, True, ()),
        ("max_steps", "int", False, False, ()),
        ("bf16", "bool", False, True, ()),
        ("vllm_server_port", "int", True, False, ()),
        ("vllm_server_host", "str", True, True, ()),
        ("reward_weights", "float", True, True, ()),
        ("vllm_mode", "choice", False, True, ("server", "colocate")),
        ("truncation_strategy", "choice", False, True, ("delete", "left", "right", "split", None)),
        ("save_strategy", "choice", False, False, ("no", "steps", "epoch", "best")),
        ("vllm_engine_kwargs", "json", False, True, ()),
        ("deepspeed", "json", False, True, ()),
        ("debug", "choice", True, False, ("underflow_overflow", "tpu_metrics_debug")),
        ("train_sampling_strategy", "choice", False, False, ("random", "sequential", "group_by_length")),
    ],
)
def test_option_is_taken_as_the_command_line_takes_it(name, kind, many, nullable, choices):
    field = catalogue.release("4.5.2").trainer[name]
    assert (field.kind, field.many, field.nullable, field.choices) == (kind, many, nullable, choices)


def test_option_tells_its_source():
    field = catalogue.release("4.5.2").trainer["vllm_mode"]
    assert field.name == "vllm_mode"
    assert field.annotation == "Optional[Literal['server', 'colocate']]"
    assert field.declared_by == "RolloutTrainerArgumentsMixin"


def test_default_that_depends_on_the_installed_torch_is_left_open():
    assert catalogue.release("4.5.2").trainer["optim"].default == "<factory>"


def test_release_names_what_goes_with_it():
    release = catalogue.release("4.5.2")
    assert (release.transformers, release.vllm) == ("5.12.1", "0.23.0")
    assert {"accuracy", "format", "cosine", "repetition", "soft_overlong"} <= set(release.reward_funcs)


def test_every_recommended_vllm_is_catalogued():
    recommended = {catalogue.release(version).vllm for version in catalogue.versions()}
    assert recommended == set(catalogue.vllm_versions())


@pytest.mark.parametrize(("version", "count"), [("0.11.0", 140), ("0.23.0", 210)])
def test_vllm_engine_options(version, count):
    options = catalogue.vllm_engine_args(version)
    assert len(options) == count
    assert options["enable_log_requests"].declared_by == "AsyncEngineArgs"
    assert options["limit_mm_per_prompt"].kind == "json"
    assert options["runner"].choices == ("auto", "generate", "pooling", "draft")
    assert options["load_format"].kind == "str"


@pytest.mark.parametrize(
    ("version", "nearest"),
    [
        ("3.9.0", "3.10.0"),
        ("4.4.7", "4.4.2"),
        ("4.5.2.dev1", "4.5.2"),
        ("9.0.0", "4.6.0"),
        ("4.0", "4.0.4"),
        ("latest", "4.6.0"),
        ("", "4.6.0"),
    ],
)
def test_unknown_release_names_the_nearest(version, nearest):
    with pytest.raises(catalogue.UnknownReleaseError, match=f"ms-swift {version} .*{nearest}$") as caught:
        catalogue.release(version)
    assert caught.value.nearest == nearest


def test_unknown_vllm_release_names_the_nearest():
    with pytest.raises(catalogue.UnknownReleaseError, match=r"vllm 0\.14\.0 .* 0\.13\.0$"):
        catalogue.vllm_engine_args("0.14.0")


@pytest.mark.parametrize(
    "text",
    ["", "{", "7", "[7]", "[]", "{}", "[" * 100_000, "[[]]", '[["3.10.0", "x", "int"]]', '[["3.10.0", "x"]]'],
)
@pytest.mark.parametrize("name", ["trainer.json", "server.json", "releases.json"])
def test_broken_data_file_is_named(data, name, text):
    (data / name).write_text(text)
    with pytest.raises(catalogue.CatalogueError, match=name):
        catalogue.release("3.10.0")


def test_missing_data_file_is_named(data):
    (data / "vllm.json").unlink()
    with pytest.raises(catalogue.CatalogueError, match=r"vllm\.json"):
        catalogue.vllm_engine_args("0.11.0")


def test_release_without_its_particulars_breaks_the_file(data):
    (data / "releases.json").write_text('[["ms-swift", "3.10.0"]]')
    with pytest.raises(catalogue.CatalogueError, match=r"releases\.json"):
        catalogue.release("3.10.0")


def test_data_files_are_as_the_extraction_writes_them(tmp_path):
    releases = {version: catalogue.release(version) for version in catalogue.versions()}
    engines = {version: catalogue.vllm_engine_args(version) for version in catalogue.vllm_versions()}
    store.write(tmp_path / "data", releases, engines)
    for path in load.DATA.iterdir():
        assert (tmp_path / "data" / path.name).read_text() == path.read_text()


def test_releases_that_know_all_of_some_arguments():
    assert catalogue.knowing([]) == catalogue.versions()
    both = catalogue.knowing([("trainer", "train_type"), ("trainer", "save_safetensors")])
    assert (both[0], both[-1]) == ("3.10.0", "3.12.6")
    assert catalogue.knowing([("trainer", "min_p"), ("trainer", "save_safetensors")]) == ()
    assert catalogue.knowing([("trainer", "no_such_argument")]) == ()


@pytest.mark.parametrize(
    ("releases", "text"),
    [
        (["4.0.0", "4.0.1", "4.0.2"], "4.0.0 to 4.0.2"),
        (["3.12.6", "4.0.0"], "3.12.6 to 4.0.0"),
        (["4.5.2"], "4.5.2"),
        (["3.10.0", "4.5.3", "4.6.0"], "3.10.0 and 4.5.3 to 4.6.0"),
        ([], ""),
    ],
)
def test_releases_that_follow_each_other_are_one_span(releases, text):
    assert catalogue.spans(releases) == text
