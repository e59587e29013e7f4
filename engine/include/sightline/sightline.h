/* Sightline's engine: load a network, compile it, run it. */
#pragma once

#include <sightline/augment.h>
#include <sightline/checkpoint.h>
#include <sightline/dataset.h>
#include <sightline/device.h>
#include <sightline/error.h>
#include <sightline/events.h>
#include <sightline/explain.h>
#include <sightline/fit.h>
#include <sightline/heat.h>
#include <sightline/golden.h>
#include <sightline/history.h>
#include <sightline/image.h>
#include <sightline/loader.h>
#include <sightline/metadata.h>
#include <sightline/metrics.h>
#include <sightline/model.h>
#include <sightline/program.h>
#include <sightline/recipe.h>
#include <sightline/schedule.h>
#include <sightline/tensor.h>
#include <sightline/train.h>
