FROM python:3.13-slim AS builder
WORKDIR /src
COPY pyproject.toml DESCRIPTION.md LICENSE ./
COPY docs docs
COPY fixtures/exchanges fixtures/exchanges
COPY msgine_sandbox msgine_sandbox
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .
# Without pip: what runs needs none.
RUN python -m venv --without-pip /opt/sandbox \
 && pip --python /opt/sandbox/bin/python install --no-cache-dir --no-compile "$(echo /wheel/*.whl)[tls]"
# phonenumbers ships 40 MB of place and carrier names; out they go with the modules that read them,
# and numbers are still understood.
RUN cd "$(/opt/sandbox/bin/python -c 'import phonenumbers; print(phonenumbers.__path__[0])')" \
 && rm -r geodata carrierdata tzdata geocoder.py carrier.py timezone.py \
 && /opt/sandbox/bin/python -c 'import phonenumbers as p; assert p.is_valid_number(p.parse("+256701234567"))'
# Compiled here, because there is nowhere to write it later; unchecked, because sources never change.
RUN /opt/sandbox/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/sandbox/lib

FROM python:3.13-slim
RUN groupadd --gid 10001 sandbox \
 && useradd --uid 10001 --gid sandbox --no-create-home --home-dir /data --shell /usr/sbin/nologin sandbox \
 && install --directory --owner sandbox --group sandbox /data
LABEL org.opencontainers.image.title="msgine-sandbox" \
      org.opencontainers.image.description="The MsGine SMS API on your own machine: test without credentials, phones or money." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0" \
      org.opencontainers.image.vendor="The msgine-sandbox authors"
COPY --from=builder /opt/sandbox /opt/sandbox
ENV PATH=/opt/sandbox/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MSGINE_SANDBOX_HOST=0.0.0.0
USER sandbox
EXPOSE 8256
# Mount a volume at /data and pass --database /data/sandbox.db to keep everything across restarts.
# The first probe comes after one interval. Not --start-interval, which not every builder knows:
# compose.yaml has it.
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s CMD ["msgine-sandbox", "ready"]
ENTRYPOINT ["msgine-sandbox"]
