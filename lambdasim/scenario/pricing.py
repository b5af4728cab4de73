"""How a run is priced: which init is billed, whether the free tier applies, and whose prices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, StrictBool

from lambdasim.scenario.fields import Model
from lambdasim.scenario.price_table import PriceFile, read_price_table


class Pricing(Model):
    """What is billed, and at which prices.

    MODEL: AWS does not publish whether an init on demand that no request came for is billed. It is with provisioned
    concurrency, so that ``unused_init`` is ``billed`` unless told otherwise.
    """

    init: Literal["billed", "free-for-managed-zip"]
    unused_init: Literal["billed", "free"] = "billed"
    free_tier: StrictBool = False
    table: Annotated[PriceFile, BeforeValidator(read_price_table)] | None = None
