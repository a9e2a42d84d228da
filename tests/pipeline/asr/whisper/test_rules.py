"""The rules for all rows at once are the engine's rules row by row, and draws are as likely as they should be."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
decoding = pytest.importorskip("whisper.decoding")

EOT, BEGIN, SIZE = 20, 24, 40
TOKENIZER = SimpleNamespace(eot=EOT, timestamp_begin=BEGIN, no_timestamps=23)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), rows=st.integers(1, 5), length=st.integers(0, 6), latest=st.sampled_from([None, 3]))
def test_the_timestamp_rules_are_the_engines(data: Any, rows: int, length: int, latest: int | None) -> None:
    from pipeline.asr.whisper.rules import TimestampRules

    # words and timestamps, as a decoder under these rules may have emitted them: timestamps do not decrease
    drawn = data.draw(
        st.lists(st.lists(st.integers(0, SIZE - 1), min_size=length, max_size=length), min_size=rows, max_size=rows)
    )
    tokens = torch.tensor([[22, 1, *row] for row in drawn], dtype=torch.long)
    seed = data.draw(st.integers(0, 2**31))
    logits = 4 * torch.randn((rows, SIZE), generator=torch.Generator().manual_seed(seed))
    logits[:, 5] = -np.inf  # suppressed before
    wanted, made = logits.clone(), logits.clone()
    decoding.ApplyTimestampRules(TOKENIZER, 2, latest).apply(wanted, tokens)
    TimestampRules(TOKENIZER, 2, latest).apply(made, tokens)
    assert torch.equal(made, wanted)


def test_at_temperature_0_the_choice_is_the_engines() -> None:
    from pipeline.asr.whisper.rules import Choice

    logits = torch.randn((6, SIZE), generator=torch.Generator().manual_seed(1))
    tokens = torch.randint(0, SIZE, (6, 4), generator=torch.Generator().manual_seed(2))
    tokens[2, -1] = tokens[4, -1] = EOT
    sums, wanted_sums = torch.zeros(6), torch.zeros(6)
    made, done = Choice(0.0, EOT, [0] * 6, 1).update(tokens, logits.clone(), sums)
    wanted, _ = decoding.GreedyDecoder(0.0, EOT).update(tokens, logits.clone(), wanted_sums)
    assert torch.equal(made, wanted)
    assert torch.equal(done, wanted[:, -1] == EOT)
    torch.testing.assert_close(sums, wanted_sums)


def test_a_draw_hangs_on_its_seed_and_not_on_its_neighbors() -> None:
    from pipeline.asr.whisper.rules import Choice

    logits = torch.randn((3, SIZE), generator=torch.Generator().manual_seed(1))
    tokens = torch.zeros((3, 2), dtype=torch.long)

    def drawn(rows: list[int], seeds: list[int]) -> list[int]:
        said, _ = Choice(0.8, EOT, seeds, 1).update(tokens[rows], logits[rows].clone(), torch.zeros(len(rows)))
        return [int(row[-1]) for row in said]

    together = drawn([0, 1, 2], [11, 12, 13])
    assert together == [drawn([row], [seed])[0] for row, seed in enumerate((11, 12, 13))]
    assert together == list(reversed(drawn([2, 1, 0], [13, 12, 11])))
    assert len({tuple(drawn([0, 1, 2], [s, s + 1, s + 2])) for s in range(0, 90, 3)}) > 5


def test_draws_are_as_frequent_as_the_tempered_softmax_says() -> None:
    from pipeline.asr.whisper.rules import Choice

    n, temperature = 20_000, 0.7
    logits = torch.tensor([[0.0, 1.0, -1.0, 0.5, -np.inf]])
    expected = torch.softmax(logits[0].double() / temperature, dim=-1).numpy()
    choice = Choice(temperature, 4, list(range(n)), 1)
    said, _ = choice.update(torch.zeros((n, 1), dtype=torch.long), logits.repeat(n, 1), torch.zeros(n))
    counts = np.bincount(said[:, -1].numpy(), minlength=5)
    assert counts[4] == 0
    # 4 standard errors of a share
    assert np.all(np.abs(counts[:4] / n - expected[:4]) < 4 * np.sqrt(expected[:4] * (1 - expected[:4]) / n))
