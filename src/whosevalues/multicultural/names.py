"""What the released files call things: states, models, families."""

STATES = ("seed-2025-06", "head-2025-08")

MODELS = {
    "gemma": ("gemma-2-2b-it", "gemma-2-9b-it", "gemma-2-27b-it"),
    "olmo": ("OLMo-2-1124-7B-Instruct", "OLMo-2-1124-13B-Instruct", "OLMo-2-0325-32B-Instruct"),
    "openai": ("gpt-3.5-turbo-0125", "gpt-4-turbo-2024-04-09", "gpt-4o"),
}
"""The models of each family, in the order of their progress."""

RANDOM = "Baseline_uniform_random"
