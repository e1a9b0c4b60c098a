"""Each row of the table of defects against the wheels on both sides: the line that is wrong, and what mends it."""

import re
from functools import cache
from pathlib import Path

import pytest

from schema import catalogue
from schema.rules.defects import DEFECTS
from tools.extract.wheel import fetch

CACHE = Path.home() / ".cache" / "rollout-split"
#: What the line of the last release with the defect says, and what its file says in the first one without: text
#: that was not there before, or None where the line alone has gone.
LINES = {
    "reward-model": ("**kwargs)", "kwargs.pop('reward_template', None)"),
    "liger": ("liger_kernel.__version__", "importlib.metadata.version('liger-kernel')"),
    "chord": ("make_chord_sft_dataset(self, ", "self._prepare_chord_dataset()"),
    "no-vllm": ("if not args.use_vllm:", "self.use_fast_infer = args.use_vllm\n        # Initialize"),
    "turns-in-colocate": ("if key in data", "isinstance(data, RolloutInferRequest)"),
    "sequence-parallel-padding-free": ("[:, -logits_to_keep - 1:-1]", "def _get_logps_via_sp("),
    "sequence-parallel-inference": ("reward_func_name):", "self._disable_sp_context(template)"),
    "chord-phi": ("torch.exp(-chord_sft_loss)", "torch.exp(-chord_sft_loss.detach())"),
    "sleep-level-2": ("!= self._last_loaded_step:", "_last_loaded_step or args.sleep_level == 2:"),
    "reward-model-end": ("reward_model_plugin(inputs=inputs", "if k != 'add_eos'}"),
    "rollout-kl": ("masked_mean(log_ratio,", "masked_mean(-log_ratio,"),
    "sapo": ("torch.sigmoid(self.tau_pos * (coef_1 - 1))", "(4.0 / self.tau_pos)"),
    "offload-zero3": ("param.data.to(torch.device('cpu')", "hasattr(param, 'ds_tensor')"),
    "move-batches-zero3": ("list(self.model.parameters())", None),
    "same-seed": ("get_infer_engine(args, template=args.get_template(None))", "seed=worker_seed"),
    "adapter-twice": ("should_merge = is_peft", "is_peft and not self._is_fsdp2 and not self.rollout_enable_lora"),
    "columns-to-generate": ("TransformersEngine(self.model", "infer_template.remove_unused_columns = True"),
    "every-other-step": ("self._step += 1", None),
    "best-by-loss": ("not in {'ppo', 'grpo'}", "'reward'\n        super()._init_metric_for_best_model()"),
    "encoder-cache": ("reset_prefix_cache()", "reset_encoder_cache()"),
    "liger-pictures": ("self.compute_liger_loss, unwrapped_model, inputs)", "**forward_kwargs"),
    "evalscope": ("len(self.eval_dataset) >= total_eval_batch_size", "not self.args.eval_use_evalscope"),
    "target-parameters": ("self.base_layer.weight.device", "_move_adapter_to_device_of_base_layer"),
    "no-thinking": ("def replace_assistant_response_with_ids(", "non_thinking_prefix_ids"),
    "teacher-tag": ("getattr(self.args, 'teacher_tag_key', 'dataset')", "tag_key=self.args.teacher_tag_key"),
    "fsdp-adapter": ("param.full_tensor().detach() if", "if param.is_cpu:\n                            param"),
    "fsdp-offload": ("self.offload_context if self.enable_offload", "self.enable_offload and not self._is_fsdp2"),
    "checkpointing-anyway": (
        "= not self.freeze_vit",
        "self.vit_gradient_checkpointing = self.gradient_checkpointing",
    ),
    "persistent-workers": (
        "dataloader_persistent_workers: bool = True",
        "dataloader_num_workers == 0 and self.dataloader_persistent_workers",
    ),
}
#: The same of the first release with the defect, where its text is another.
FIRST = {
    "adapter-twice": "args.resume_from_checkpoint:",
    "fsdp-offload": "self.enable_offload",
    "persistent-workers": "dataloader_persistent_workers: bool = False",
}
#: Where 3.x kept what 4.x keeps elsewhere.
OLD_PLACES = {"rlhf_trainers/": "trainers/rlhf_trainer/", "arguments/": "llm/argument/"}


@cache
def wheel(version):
    return fetch("ms-swift", version, CACHE)


def text(version, file):
    if version.startswith("3."):
        new = next((place for place in OLD_PLACES if file.startswith(place)), "")
        file = OLD_PLACES.get(new, "") + file.removeprefix(new)
    found = wheel(version).text(f"swift/{file}")
    assert found is not None, f"{version} has no {file}"
    return found


def before(version):
    versions = catalogue.versions()
    return versions[versions.index(version) - 1]


def test_every_row_has_its_lines():
    assert LINES.keys() == DEFECTS.keys()


@pytest.mark.parametrize("name", DEFECTS)
def test_line_of_the_last_release_with_it(name):
    defect = DEFECTS[name]
    file, line = re.fullmatch(r"(.+\.py):(\d+)", defect.proof).groups()
    assert LINES[name][0] in text(before(defect.until), file).splitlines()[int(line) - 1]


@pytest.mark.parametrize("name", DEFECTS)
def test_first_release_without_it_says_otherwise(name):
    defect, (wrong, mend) = DEFECTS[name], LINES[name]
    file = defect.proof.rpartition(":")[0]
    old, new = text(before(defect.until), file), text(defect.until, file)
    assert (mend in new and mend not in old) if mend else (wrong in old and wrong not in new)


@pytest.mark.parametrize("name", DEFECTS)
def test_first_release_with_it_has_it(name):
    defect, (wrong, mend) = DEFECTS[name], LINES[name]
    first = text(defect.since, defect.proof.rpartition(":")[0])
    assert FIRST.get(name, wrong) in first
    assert mend is None or mend not in first
