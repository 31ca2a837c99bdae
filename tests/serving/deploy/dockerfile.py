"""The Dockerfile as stages of instructions."""

import json
from dataclasses import dataclass, field

from tests.serving.deploy.paths import ROOT


@dataclass
class Stage:
    """`FROM base AS name`, and the instructions after it as (keyword, rest)."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, keyword: str) -> list[str]:
        """The rests of every instruction `keyword`."""
        return [rest for found, rest in self.instructions if found == keyword]

    def entrypoint(self) -> list[str]:
        """The last ENTRYPOINT, in its JSON form."""
        return json.loads(self.all("ENTRYPOINT")[-1])


def stages() -> list[Stage]:
    """The stages in order."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        keyword, _, rest = " ".join(line.split()).partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        elif keyword and found:
            found[-1].instructions.append((keyword, rest))
    return found
