# Three images; `docker build .` makes the first, `--target` picks another:
#
#   gpu    TensorFlow Serving on CUDA
#   cpu    TensorFlow Serving
#   train  the command line of this package with TensorFlow's CUDA libraries
#
# The two servers look for versions in /models/vae. Mount that folder, or put a model in the image:
#
#   docker build --build-context model=models/vae --tag vae-serving .

# 2.20.0 is TensorFlow Serving's newest release; the models are exported by TensorFlow 2.21.
ARG TF_SERVING_VERSION=2.20.0

# Empty; `--build-context model=FOLDER` takes its place.
FROM scratch AS model

FROM python:3.11-slim-bookworm AS train-environment
WORKDIR /src
COPY LICENSE README.md constraints.txt pyproject.toml ./
COPY vae_tf vae_tf
COPY serving/vae_tf_serving serving/vae_tf_serving
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[gpu,serve]'

FROM python:3.11-slim-bookworm AS train
COPY --from=train-environment /opt/venv /opt/venv
# For any --user, so that what it writes is yours: caches go to /tmp, and nobody is looked up in /etc/passwd.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    USER=vae
RUN install --directory --mode=1777 /work
USER 10001:10001
WORKDIR /work
# A command runs and ends: there is nothing to ask it in between.
HEALTHCHECK NONE
ENTRYPOINT ["vae-tf"]
CMD ["--help"]

FROM tensorflow/serving:${TF_SERVING_VERSION} AS cpu
COPY serving/deploy/config /etc/tf_serving
COPY --from=model / /models/vae/
USER 10001:10001
EXPOSE 8500 8501
# The image has no curl; the script needs bash alone.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["bash", "/etc/tf_serving/healthcheck.sh", "vae", "8501"]
ENTRYPOINT ["tensorflow_model_server", \
            "--port=8500", \
            "--rest_api_port=8501", \
            "--model_config_file=/etc/tf_serving/models.config", \
            "--enable_batching=true", \
            "--batching_parameters_file=/etc/tf_serving/batching.config", \
            "--monitoring_config_file=/etc/tf_serving/monitoring.config"]

FROM tensorflow/serving:${TF_SERVING_VERSION}-gpu AS gpu
COPY serving/deploy/config /etc/tf_serving
COPY --from=model / /models/vae/
# CUDA keeps compiled kernels in the home folder, which this user does not have.
ENV CUDA_CACHE_PATH=/tmp/cuda
USER 10001:10001
EXPOSE 8500 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["bash", "/etc/tf_serving/healthcheck.sh", "vae", "8501"]
ENTRYPOINT ["tensorflow_model_server", \
            "--port=8500", \
            "--rest_api_port=8501", \
            "--model_config_file=/etc/tf_serving/models.config", \
            "--enable_batching=true", \
            "--batching_parameters_file=/etc/tf_serving/batching.config", \
            "--monitoring_config_file=/etc/tf_serving/monitoring.config"]
