"""The Gradio demos."""
