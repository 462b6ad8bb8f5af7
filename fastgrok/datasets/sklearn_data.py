"""The small data sets that come with scikit-learn, where it is installed."""

from fastgrok.datasets.dataset import Dataset
from fastgrok.errors import InvalidExperiment, checked_choice

SKLEARN = ("iris", "wine", "digits", "breast_cancer", "diabetes")
"""Their names; the targets of all but diabetes are classes."""


def sklearn(name: str) -> Dataset:
    """Return a data set that comes with scikit-learn: raw inputs, and classes by their names.

    Parameters
    ----------
    name
        "iris" (150 examples, 4 inputs, 3 classes), "wine" (178, 13, 3), "digits" (1,797, 64, 10), "breast_cancer"
        (569, 30, 2: one output, 0 for malignant), or "diabetes" (442, 10, numbers).

    Raises
    ------
    InvalidExperiment
        If there is none of this name, or scikit-learn is not installed.

    Examples
    --------
    >>> import fastgrok as fg
    >>> fg.datasets.sklearn("iris").standardized()  # doctest: +SKIP
    <Dataset iris: 150 examples, 4 inputs, 3 outputs, scaled, classes 'setosa', 'versicolor', 'virginica'>
    """
    checked_choice("name", name, SKLEARN)
    try:
        from sklearn import datasets
    except ImportError as error:
        expected = f"another dataset: {name} needs scikit-learn (pip install scikit-learn)"
        raise InvalidExperiment("name", name, expected) from error
    loaded = getattr(datasets, f"load_{name}")()
    features = list(map(str, loaded.feature_names))
    if name == "diabetes":
        return Dataset(loaded.data, loaded.target, name, features, ("progression",))
    labels = [str(label) for label in loaded.target_names]
    classes = [int(label) for label in labels] if name == "digits" else labels
    y = [classes[code] for code in loaded.target.tolist()]
    targets = ("class",) if len(classes) == 2 else tuple(labels)
    return Dataset(loaded.data, y, name, features, targets, classes=classes)
