"""Kinds of change, however people write them."""

from __future__ import annotations

import pytest

from callboard.bus.categories import HIGH_RISK, category_name, is_high_risk


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("cross-cutting refactor", "cross_cutting_refactor"),
        ("Cross-cutting refactoring", "cross_cutting_refactor"),
        ("index or registry change", "index_registry_change"),
        ("Registry", "index_registry_change"),
        ("schema contract", "schema_contract"),
        ("Schema/contract change", "schema_contract"),
        ("bulk change", "bulk_change"),
        ("bulk_multi_file_operation", "bulk_change"),
        ("security or auth", "security_auth"),
        ("security_auth_change", "security_auth"),
        ("Authentication", "security_auth"),
    ],
)
def test_high_risk_categories_have_one_name_each(written: str, name: str) -> None:
    assert category_name(written) == name
    assert is_high_risk(category_name(written))


@pytest.mark.parametrize(
    "written", ["feature_scaffolding", "Refactor", "docs", "security theatre", "change", "", "Index the docs", "索引"]
)
def test_any_other_stays_as_it_was_written(written: str) -> None:
    assert category_name(written) == written
    assert not is_high_risk(written)


def test_a_name_is_its_own_name() -> None:
    assert [category_name(name) for name in HIGH_RISK] == list(HIGH_RISK)
