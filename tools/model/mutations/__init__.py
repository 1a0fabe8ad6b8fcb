"""The rules of the judge, each undone in turn: the model has to lose something, or to read for ever.

A model that can't tell a broken rule from a sound one proves nothing.
"""

from tools.model.mutations import comparisons, looks, reads
from tools.model.mutations.mutation import MUTATIONS, Mutation

__all__ = ["MUTATIONS", "Mutation", "comparisons", "looks", "reads"]
