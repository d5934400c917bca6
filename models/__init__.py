"""Networks and the frameworks that run them: transformers, vllm, deepspeed, peft. Knows no RL."""
