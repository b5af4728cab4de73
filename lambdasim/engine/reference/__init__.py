"""The SimPy engine: the definition of the model."""

from lambdasim.engine.reference.simulation import SimpyEngine

__all__ = ["SimpyEngine"]
