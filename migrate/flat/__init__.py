"""The flat layout: x.yaml for `swift rlhf`, and x.rollout.yaml for `swift rollout`, which change together."""
