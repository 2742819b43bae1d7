"""Writes keras_reference.json: what real Keras says of the matrices that the test holds ours to.

Made once, in an environment of its own with tensorflow-cpu 2.12.0 (Keras 2.12.0, of the original
notebooks' time) on Python 3.11; TensorFlow is no dependency of the project:

    python make_keras_reference.py keras_reference.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

N, LABELS = 60, 5


def matrices():
    rng = np.random.default_rng(3208)
    labels = (rng.random((N, LABELS)) < [0.5, 0.3, 0.3, 0.1, 0.2]).astype(np.float32)
    logits = (rng.normal(-1, 2, (N, LABELS)) + 3 * labels).astype(np.float32)
    logits[10:20] = np.round(logits[10:20])  # equal scores within a column
    logits[20:24, 1:] = logits[20:24, :1]  # and within a row
    logits[24], logits[25] = -40.0, 40.0  # sigmoids of 0 and 1
    labels[30:33] = 0.0  # no label at all
    labels[33:36] = [0, 1, 1, 0, 1]  # several
    scores = tf.math.sigmoid(logits).numpy()
    scores[40:44] = np.linspace(0, 1, 5)  # at both ends and at .5
    scores[44:48] = 20 / 199  # on one of the 200 thresholds of AUC
    return logits, scores, labels


def auc(labels, scores, **options):
    metric = tf.keras.metrics.AUC(**options)
    metric.update_state(labels, scores)
    return float(metric.result())


def mean(metric, *given):
    metric.update_state(*given)
    return float(metric.result())


def reference():
    logits, scores, labels = matrices()
    shares = (labels.sum(axis=0) / labels.sum()).tolist()
    metrics = tf.keras.metrics
    many = {"multi_label": True, "num_labels": LABELS}
    values = {
        f"auc {curve} {name}": auc(labels, scores, curve=curve, **options)
        for curve in ("ROC", "PR")
        for name, options in {
            "flattened": {},
            "mean": many,
            "weighted": many | {"label_weights": shares},
        }.items()
    }
    for limit in (0.1, 0.5, 0.9):
        binary = (scores > limit).astype(np.float32)
        accuracy = metrics.CategoricalAccuracy()
        values[f"categorical accuracy at {limit}"] = mean(accuracy, labels, binary)
    values["precision at 0.3"] = mean(metrics.Precision(thresholds=0.3), labels, scores)
    values["recall at 0.3"] = mean(metrics.Recall(thresholds=0.3), labels, scores)
    values["categorical accuracy"] = mean(metrics.CategoricalAccuracy(), labels, logits)
    from_logits = metrics.CategoricalCrossentropy(from_logits=True)
    values["crossentropy of logits"] = mean(from_logits, labels, logits)
    values["crossentropy of scores"] = mean(metrics.CategoricalCrossentropy(), labels, scores)
    nothing = np.concatenate([scores, np.zeros((1, LABELS), np.float32)])
    extended = np.concatenate([labels, labels[:1]])
    zeros = mean(metrics.CategoricalCrossentropy(), extended, nothing)
    return {
        "made with": f"tensorflow {tf.__version__}, keras {tf.keras.__version__}",
        "logits": logits.tolist(),
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "label weights": shares,
        "crossentropy of scores is a number where all scores are 0": bool(np.isfinite(zeros)),
        "values": values,
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(reference()) + "\n", encoding="utf-8")
