"""validate-config on hostile files: one message each, nothing raw, nothing secret, and in time."""

import json
import re
import time

import pytest

RAW = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e]")
MANY, ALIASES = ", ".join(f"k{number}: 1" for number in range(5000)), ", ".join(["*m"] * 20_000)
HEAD = "rlhf_type: grpo\nmodel: m\ndataset: a.jsonl\nreward_funcs: accuracy\nuse_vllm: true\n"


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
@pytest.mark.parametrize(
    "text",
    [
        '"a\\n::error file=x::y": {b: 1}',
        '"\\e[2J": {}',
        'rlhf: {"vllm_\\u202emode": 1, "a\\n::stop-commands::t": 2}',
        'rlhf: {reward_funcs: ["\\e]0;title\\a"], vllm_server_host: ["a\\r\\n::warning::b"]}',
        'custom: {extra: {rollout_server: {"\\x9b31m": 1}}}',
    ],
)
def test_names_and_values_are_escaped(validate, preset, text, form):
    ran = validate(preset(text), "--format", form)
    assert ran.code == 1
    assert not RAW.search(ran.out + ran.err)
    assert not re.search("(?m)^ *::", ran.out + ran.err)


def test_annotations_stay_one_command_each(validate, preset):
    ran = validate(preset('"a\\n::error file=x::y": {b: "\\e[31m"}'), "--format", "github")
    assert not RAW.search(ran.out)
    assert [line.split(" ")[0] for line in ran.out.splitlines()] == ["::error"]


@pytest.mark.parametrize("base", ['"no\\n::error::x\\e[31m.yaml"', '["a.yaml", "\\u2028"]', '"\\x85"'])
def test_errors_are_escaped_and_one_line(validate, write, base):
    ran = validate(write("x.yaml", f"extends: {base}\nrlhf: {{}}\n"))
    assert (ran.code, ran.out.count("\n"), ran.err) == (2, 2, "")
    assert not RAW.search(ran.out)


def test_names_of_files_are_escaped(validate, preset):
    leaf = preset("zzz: {a: 1}", name="::error::\x1b[31m\nx.yaml")
    ran = validate(leaf.name)
    assert ran.out.startswith("\\x3a:error::\\x1b[31m\\nx.yaml:2:1: error[unknown-key]")


def test_usage_errors_are_escaped(validate):
    ran = validate("--form\x1b[31m")
    assert (ran.code, RAW.search(ran.err)) == (2, None)


@pytest.mark.parametrize("form", ["json", "sarif"])
@pytest.mark.parametrize(
    "args", [["none.yaml"], ["--nonsense", "x.yaml"], [], ["x.yaml", "--rollout-gpus", "0"], ["--train-gpus"]]
)
def test_formats_for_programs_are_theirs_whatever_ends_the_call(validate, root, args, form):
    for words in ([*args, "--format", form], ["--format", form, *args])[args[-1:] == ["--train-gpus"] :]:
        ran = validate(*words)
        assert ran.code == 2
        assert ran.err or "unreadable-file" in ran.out
        assert json.loads(ran.out) is not None


def test_a_defect_is_told_in_json_and_without_secrets(validate, preset, monkeypatch):
    def fails(*_):
        raise RuntimeError("of hub_token: hush and \x1b[31m")

    monkeypatch.setattr("schema.audit.Audit.findings", fails)
    ran = validate(preset(""), "--format", "json")
    assert (ran.code, ran.findings) == (3, [])
    assert "hub_token" in json.loads(ran.out)["error"]
    assert "hush" not in ran.err + ran.out
    assert not RAW.search(ran.err)
    assert "defect" in ran.err


# --- Secrets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "training: {hub_token: [hf_Hush123456, 1]}",
        "model: {model_kwargs: [{token: HushHush1}]}",
        "rlhf: {vllm_server_base_url: ['http://me:HushHush1@127.0.0.1:1']}",
        "rlhf: {vllm_engine_kwargs: {hf_tokn: hf_Hush123456}}",
        "rlhf: {reward_weights: [{api_key: {a: HushHush1}}]}",
        "training: {deepspeed: {aws_secret: HushHush1, b: [HushHush1]}}",
        "training: {learning_rate: {password: HushHush1}}",
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_secrets_stand_in_no_finding(validate, preset, text, form):
    ran = validate(preset(text), "--format", form)
    assert ran.code in (0, 1)
    assert "Hush" not in ran.out


@pytest.mark.parametrize(
    "line",
    ["hub_token: *HushHush1", "hub_token: !!int HushHush1", "a: {api_key: !!float 'HushHush1'}", "token: 'Hush"],
)
def test_secrets_stand_in_no_error(validate, write, line):
    ran = validate(write("x.yaml", f"{HEAD}{line}\n"))
    assert ran.code == 2
    assert "Hush" not in ran.err


# --- Bounds -----------------------------------------------------------------------------------------------------


def within(seconds, run):
    start = time.process_time()
    ran = run()
    assert time.process_time() - start < seconds
    return ran


@pytest.mark.parametrize(("keys", "left"), [(1500, "1400 more"), (20_000, "at least 1900 more")])
def test_thousands_of_unknown_keys_are_counted(validate, preset, keys, left):
    lines = "".join(f"  vllm_mod{number}x: 1\n" for number in range(keys))
    leaf = preset(f"rlhf:\n{lines}")
    ran = within(10, lambda: validate(leaf))
    assert ran.code == 1
    assert ran.out.count("did you mean vllm_mode?") == 100
    assert f"error[unknown-key] {left} of these are left out\n101 errors in 1 file" in ran.out


def test_warnings_that_are_left_out_stay_warnings(validate, preset):
    values = ", ".join(["0o17"] * 150)
    ran = validate(preset(f"custom: {{x: [{values}]}}"))
    assert (ran.code, ran.out.count("warning[")) == (0, 101)
    assert "50 more of these are left out" in ran.out


@pytest.mark.parametrize(
    "text",
    [
        f"m: &m {{{MANY}}}\nn: {{<<: [{ALIASES}]}}",
        "\n".join(
            f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" if n else "m0: &m0 {a: 1}" for n in range(20)
        ),
    ],
)
def test_merges_are_counted_by_what_they_bring(validate, write, text):
    leaf = write("x.yaml", f"{text}\nrlhf: {{rlhf_type: grpo}}\n")
    ran = within(5, lambda: validate(leaf))
    assert (ran.code, "aliases expanded" in ran.out) == (2, True)


@pytest.mark.parametrize(
    "text", ["[" * 5000, '{"a":' * 5000, "[" * 100 + "]" * 100, '{"a": ' + "[" * 99 + "]" * 99 + "}"]
)
def test_json_that_is_too_deep_is_none(validate, preset, text):
    ran = validate(preset(f"custom: {{extra: {{rollout_server: {{vllm_engine_kwargs: '{text}'}}}}}}"))
    assert (ran.code, ran.err) == (1, "")
    assert "neither a mapping nor JSON of one" in ran.out
    assert max(map(len, ran.out.splitlines())) < 2500


@pytest.mark.parametrize(
    "table",
    [
        "tool = 5",
        "[tool]\nrollout-split = 5",
        "tool = []",
        "x = " + "[" * 5000 + "]" * 5000,
        "[tool.rollout-split]\ntrain-gpus = 99999999999",
    ],
)
def test_a_project_s_table_that_is_none(validate, preset, write, table):
    leaf = preset("")
    write("pyproject.toml", table)
    ran = validate(leaf, "--format", "concise")
    assert (ran.code, ran.err) == (2, "")
    assert ran.out.startswith("pyproject.toml:1:1: error[invalid-project] ")
    assert ran.out.count("\n") == 2


@pytest.mark.parametrize("gpus", ["99999999999999", "9" * 5000, "0", "4097"])
def test_gpus_are_bounded(validate, preset, gpus):
    for option in ("--rollout-gpus", "--train-gpus"):
        assert "from 1 to 4096 GPUs" in validate(preset(""), option, gpus).err


@pytest.mark.parametrize(
    "config", ['{"num_hidden_layers": "x"}', "[1]", '{"text_config": 5}', "[" * 9000, '{"layer_types": 1}']
)
def test_a_checkpoint_s_config_may_say_anything(validate, preset, write, config):
    write("m/config.json", config)
    leaf = preset("model: {model: m}")
    assert validate(leaf).code == 0


@pytest.mark.parametrize(
    ("learner", "server"),
    [
        ("", "host: {a: b}"),
        ("", "host: [a, b]"),
        ("", "port: {2024-01-04: 1}"),
        ("ENV: {NPROC_PER_NODE: .nan}", "ENV: {CUDA_VISIBLE_DEVICES: null}"),
        ("ENV: {NPROC_PER_NODE: null, CUDA_VISIBLE_DEVICES: 2024-01-04}", "ENV: 5"),
        ("ENV: {NPROC_PER_NODE: 1e999}", "ENV: [1]"),
    ],
)
def test_values_of_other_types_in_a_pair(validate, write, learner, server):
    address = "vllm_mode: server\nvllm_server_host: 127.0.0.1\nvllm_server_port: 8000\n"
    leaf = write("x.yaml", f"{HEAD}{address}{learner}\n")
    write("x.rollout.yaml", f"model: m\nvllm_tensor_parallel_size: 1\nvllm_data_parallel_size: 6\n{server}\n")
    for version in ("3.10.0", "4.1.0", "4.5.2"):
        assert validate(leaf, "--swift-version", version).code == 1
