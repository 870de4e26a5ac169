"""What kinds of engine a gateway can stand in front of, and how their interfaces differ from vLLM's."""
