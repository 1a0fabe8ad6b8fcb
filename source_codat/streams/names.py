"""Names of streams that a catalog or a state may have and this connector hasn't."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from source_codat.foundation.errors import ConfigError
from source_codat.foundation.secrets import masked
from source_codat.foundation.wording import did_you_mean, first_of

_CUSTOM = "custom_"
_LONGEST = 60


def refuse_unknown(names: Sequence[str], known: Collection[str]) -> None:
    """Raise ConfigError where a catalog names a stream that there isn't, with the one that may be meant."""
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    if len(unknown) == len(names) > 1 and not any(did_you_mean(name, known) for name in unknown):
        raise ConfigError(
            f"The catalog is another connector's: this one has none of its streams ({shown(unknown)}). Use a "
            "catalog that this connector's own 'discover' printed."
        )
    name = unknown[0]
    if name.startswith(_CUSTOM):
        advice = "add its identifier to 'custom_data_types', or leave the stream out."
    else:
        advice = "refresh the source's schema and choose among the streams it lists."
    raise ConfigError(
        f"The catalog names the stream '{shown([name])}', which this connector doesn't have"
        f"{did_you_mean(name, known)}: {advice}"
    )


def shown(names: Sequence[str]) -> str:
    """Names from outside as a message may show them."""
    return first_of([masked(name)[:_LONGEST] for name in names])
