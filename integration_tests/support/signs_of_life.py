"""When a read has shown that it is alive, so that a test can let it go on, however long that took."""

from airbyte_cdk.models import Type

from source_codat.engine.writer import Writer


def after_states(mocker, number, go_on):
    """Call `go_on` once a read, which has nothing else to say, has sent so many states."""
    for name in ("engine.writer.TICK_SECONDS", "engine.read.TICK_SECONDS", "engine.writer.SILENCE_SECONDS"):
        mocker.patch(f"source_codat.{name}", 0.01)
    mocker.patch("source_codat.reporting.progress.LINE_SECONDS", 0.01)
    tick, sent = Writer.tick, []

    def counted(self, wait_in_words):
        for message in tick(self, wait_in_words):
            if message.type is Type.STATE:
                sent.append(message)
            yield message
        if len(sent) >= number:
            go_on()

    mocker.patch.object(Writer, "tick", counted)
