"""The test-time scaffold as an OpenAI-compatible server: plan → N candidates → select → answer (DESIGN §9)."""
