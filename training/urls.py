"""URLs of this room."""

from django.urls import path

from training.views import experiments, testsets, type_studies

urlpatterns = [
    path("models/", testsets.models, name="models"),
    path("testsets/", testsets.testsets, name="testsets"),
    path("testsets/<str:name>/", testsets.testset, name="testset"),
    path("testsets/<str:name>/evaluate/", testsets.evaluate, name="testset-evaluate"),
    path("training/", experiments.experiments, name="training"),
    path("training/new/", experiments.new_experiment, name="experiment-new"),
    path("training/types/", type_studies.type_studies, name="type-studies"),
    path("training/types/<int:pk>/", type_studies.type_study, name="type-study"),
    path("training/types/<int:pk>/held-out.csv", type_studies.opinions_csv, name="type-study-opinions"),
    path("training/<int:pk>/", experiments.experiment, name="experiment"),
    path("training/<int:pk>/epochs.csv", experiments.epochs_csv, name="experiment-epochs"),
    path("training/<int:pk>/recipe.json", experiments.recipe_json, name="experiment-recipe"),
    path("training/<int:pk>/log.txt", experiments.training_log, name="experiment-log"),
]
