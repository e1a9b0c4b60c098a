"""A server whose routes are guarded by a key, and the learner that has it."""

import http.client

KEY = "c0ffee-c0ffee"


def status(node, path, key=None):
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse().status
    connection.close()
    return answer


def shown(node):
    """Whether the key is where others can read it: in a command line, or in a file that launchers wrote."""
    commands = [said for said in node.processes().values() if KEY in said]
    written = [*node.home.glob("*.log"), *node.home.glob("logs/**/*"), *node.home.glob("state/*")]
    return commands + [str(file) for file in written if file.is_file() and KEY in file.read_text(errors="replace")]


def test_key_guards_the_server_and_is_shown_nowhere(bare):
    server = bare.server(ROLLOUT_SPLIT_API_KEY=KEY)
    server.until("a learner may start")
    assert [status(bare, "/get_world_size/", key) for key in (None, "x", KEY)] == [401, 401, 200]
    learner = bare.learner(ROLLOUT_SPLIT_API_KEY=KEY)
    learner.until("'global_step/max_steps': '1/2'")
    assert not shown(bare)
    ended = learner.end()
    assert ended.code == 0, ended.said[-3000:]
    assert "the server's weights have changed" in ended.said
    assert not shown(bare)
