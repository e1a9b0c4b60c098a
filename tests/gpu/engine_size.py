"""The memory of one engine: vLLM as ms-swift starts it, in this process, with weights of no value."""

import os
import re
import signal

import shapes
import sizes

#: What vLLM says of its memory (0.23.0, v1/worker/gpu_worker.py:481 and v1/core/kv_cache_utils.py).
SAID = {
    "kv_tokens": r"KV cache size: ([\d,]+) tokens",
    "available_gib": r"Available KV cache memory: ([\d.]+) GiB",
    "loading_gib": r"Model loading took ([\d.]+) GiB",
    "graphs_gib": r"Graph capturing finished in .* took ([\d.]+) GiB",
}


def measure(setting, folder):
    """Starts the engine and writes what vLLM found."""
    os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "DEBUG"}
    from swift.arguments import RolloutArguments
    from swift.pipelines.infer.rollout import SwiftRolloutDeploy
    from vllm.v1.worker import gpu_worker

    found = {}
    _watch(gpu_worker.Worker, found)
    lock = sizes.Gpu(folder, setting.alone)
    signal.alarm(sizes.LIMIT)
    kind, template = shapes.kind(setting.model)
    more = {"load_format": "dummy"} | ({"kv_cache_dtype": setting.cache} if setting.cache != "auto" else {})
    few = {"vllm_max_num_seqs": setting.sequences} if setting.sequences else {}
    arguments = RolloutArguments(
        model=str(folder / "models" / setting.model),
        model_type=kind,
        template=template,
        torch_dtype="bfloat16",
        vllm_gpu_memory_utilization=setting.utilization,
        vllm_tensor_parallel_size=setting.tensor,
        vllm_max_model_len=setting.length,
        vllm_enforce_eager=setting.eager,
        vllm_enable_prefix_caching=True,
        vllm_engine_kwargs=more,
        **few,
    )
    engine = SwiftRolloutDeploy.get_infer_engine(arguments, template=arguments.get_template())
    config = engine.engine.vllm_config
    said = (folder / "logs" / f"{setting.name}.log").read_text("utf-8", "replace")
    found |= {name: _number(pattern, said) for name, pattern in SAID.items()}
    found |= {
        "batched_tokens": config.scheduler_config.max_num_batched_tokens,
        "max_num_seqs": config.scheduler_config.max_num_seqs,
        "block_size": config.cache_config.block_size,
        "gpu_blocks": config.cache_config.num_gpu_blocks,
        "graph_sizes": len(config.compilation_config.cudagraph_capture_sizes or []),
        "used_mib": sizes.used(),
        "gpu_mib": sizes.used("total"),
    }
    sizes.save(folder, setting, found)
    del lock
    os._exit(0)


def _watch(worker, found):
    """Keeps what the worker finds when it looks for room for the KV cache."""
    look = worker.determine_available_memory

    def determine_available_memory(self):
        room = look(self)
        found.update(
            total_gib=self.init_snapshot.total_memory / 2**30,
            requested_gib=self.requested_memory / 2**30,
            room_gib=room / 2**30,
            weights_gib=self.model_runner.model_memory_usage / 2**30,
            activations_gib=self.peak_activation_memory / 2**30,
            outside_torch_gib=self.non_torch_memory / 2**30,
            graphs_expected_gib=self.cudagraph_memory_estimate / 2**30,
        )
        return room

    worker.determine_available_memory = determine_available_memory


def _number(pattern, said):
    found = re.search(pattern, said)
    return float(found[1].replace(",", "")) if found else None
