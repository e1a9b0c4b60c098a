"""The strict models: what the learner's settings and the rollout server's settings must look like."""
