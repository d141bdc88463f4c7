# SPDX-License-Identifier: MIT
"""What the chain must do, computed without the package's engine, in plain Python, numpy and scipy.

``plan`` says what a run is; ``chain`` enumerates its law, ``dual`` follows ancestors backward, ``moments``
steps inner products, ``twin`` draws it the slow and obvious way, ``faults`` draws it wrong on purpose,
``stat`` decides.
"""
