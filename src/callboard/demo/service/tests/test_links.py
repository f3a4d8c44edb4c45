from tests.support import ServiceCase


class LinksTest(ServiceCase):
    def test_a_link_leads_to_its_address(self) -> None:
        status, _, body = self.call("POST", "/links", {"url": "https://example.org/a/long/way"})
        self.assertEqual(status, 201)
        status, headers, _ = self.call("GET", f"/go/{body['code']}")
        self.assertEqual((status, headers["Location"]), (302, "https://example.org/a/long/way"))

    def test_an_unknown_code_is_not_found(self) -> None:
        self.assertEqual(self.call("GET", "/go/nowhere")[0], 404)

    def test_a_link_needs_an_address(self) -> None:
        self.assertEqual(self.call("POST", "/links", {})[0], 400)

    def test_an_unknown_path_is_not_found(self) -> None:
        self.assertEqual(self.call("GET", "/nothing/here")[0], 404)
