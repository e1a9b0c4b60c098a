"""Runs the code by which an ms-swift release shows and logs the steps of a run, in the folder that is named."""

import sys
import time
from types import SimpleNamespace

from transformers import TrainerControl
from transformers import TrainerState

try:
    from swift.trainers.patcher import ProgressCallbackNew
except ImportError:  # before 4.0
    from swift.trainers.callback import ProgressCallbackNew

STEPS = 4
arguments = SimpleNamespace(output_dir=sys.argv[1])
state = TrainerState(max_steps=STEPS, is_world_process_zero=True, is_local_process_zero=True)
control = TrainerControl()
callback = ProgressCallbackNew()
callback.on_train_begin(arguments, state, control)
for step in range(1, STEPS + 1):
    time.sleep(0.2 * step)
    state.global_step = step
    callback.on_step_end(arguments, state, control)
    logs = {"loss": 0.1, "completions/mean_length": 8.0 + step, "completions/clipped_ratio": 0.5}
    callback.on_log(arguments, state, control, logs)
callback.on_train_end(arguments, state, control)
