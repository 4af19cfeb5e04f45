"""Path templates: every spelling people have means the same, and what cannot be meant is refused with the remedy."""

from __future__ import annotations

import pytest

from anysgi.migration._templates import TemplateError, parse_template

SPELLINGS = [
    ("/users/<int:id>", ["/users/<int:id>", "/users/{id:int}", "/users/<id:int>"]),  # Flask, Starlette, Bottle
    ("/users/<string:id>", ["/users/<id>", "/users/{id}", "/users/<str:id>", "/users/<default:id>", "/users/{id:str}"]),
    ("/f/<path:p>", ["/f/<path:p>", "/f/{p:path}", "/f/<p:path>", "/f/*p"]),
    ('/y/<re("[0-9]{4}"):year>', ['/y/<re("[0-9]{4}"):year>', "/y/{year:[0-9]{4}}", "/y/<year:re:[0-9]{4}>"]),
    ("/<any(red, green):c>", ["/<any(red, green):c>"]),
    ("/<string(length=2):lang>/", ["/<string(length=2):lang>/", "/{lang:string(length=2)}/"]),
    ("/a-<int:x>.<slug:y>", ["/a-<int:x>.<slug:y>", "/a-{x:int}.{y:slug}"]),
    ('/<re("a>b"):x>', ['/<re("a>b"):x>']),
    ("/<int(fixed_digits=4):year>", ["/<int(fixed_digits=4):year>"]),
    ("/", ["/"]),
]


@pytest.mark.parametrize(("rule", "written"), [(rule, text) for rule, texts in SPELLINGS for text in texts])
def test_spellings_of_one_path_are_one_rule(rule: str, written: str) -> None:
    assert parse_template(written).rule == rule


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("users", "write '/users'"),
        ("/users/<int:id", "never closes"),
        ("/users/id>", "without opening"),
        ("/users?page=1", "the query is no part"),
        ("/users#top", "never sent"),
        ("/a//b", "one slash"),
        ("/a/../b", "'..'"),
        ("/<x>/<x>", "'x' twice"),
        ("/<1x>", "Python identifier"),
        ("/<hashid:x>", "no converter 'hashid'"),
        ("/<x:hashid>", "no converter 'x'"),
        ("/{x:hashid}", "no converter 'hashid'"),
        ("/<int(min=1):x>", "write <int:x>"),
        ("/<string(length=x):x>", "write <string:x>"),
        ("/<any:x>", "lists nothing"),
        ("/<re(a+):x>", "in quotes"),
        ('/<re("("):x>', "no regular expression"),
        ('/<re("(?P<n>a)"):x>', "names groups"),
        (r'/<re("(a)\1"):x>', "refers to them"),
        ("/<path:a>/x/<path:b>", "two <path:…>"),
    ],
)
def test_a_path_that_cannot_be_meant_is_refused_with_the_remedy(written: str, says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(written)
    assert says in str(caught.value)
