#include "explain/method.h"

#include <string.h>

const SlMethod sl_methods[SL_EXPLAIN_METHOD_COUNT] = {
    [SL_EXPLAIN_AUTO] = {"auto", "cam where it is exact, else gradcam", SL_EXPLAINS_HEAD, FALSE,
                         NULL},
    [SL_EXPLAIN_CAM] = {"cam", "exact, of networks that end in an average over positions",
                        SL_EXPLAINS_HEAD, FALSE, NULL},
    [SL_EXPLAIN_GRAD_CAM] = {"gradcam", "feature maps weighted by their mean gradient",
                             SL_EXPLAINS_FEATURES, TRUE, sl_maps_grad_cam},
    [SL_EXPLAIN_GRAD_CAM_PLUS_PLUS] = {"gradcam++", "the same for several objects of a class",
                                       SL_EXPLAINS_FEATURES, TRUE, sl_maps_grad_cam_plus_plus},
    [SL_EXPLAIN_HIRES_CAM] = {"hirescam", "feature maps times gradient, place by place",
                              SL_EXPLAINS_FEATURES, TRUE, sl_maps_hires_cam},
    [SL_EXPLAIN_LAYER_CAM] = {"layercam", "the same with what is for the class alone; any layer",
                              SL_EXPLAINS_FEATURES, TRUE, sl_maps_layer_cam},
    [SL_EXPLAIN_EIGEN_CAM] = {"eigencam", "what most of a layer's maps share, whatever the class",
                              SL_EXPLAINS_FEATURES, FALSE, sl_maps_eigen_cam},
    [SL_EXPLAIN_SALIENCY] = {"saliency", "how much each pixel moves the score", SL_EXPLAINS_INPUT,
                             TRUE, sl_maps_saliency},
    [SL_EXPLAIN_INTEGRATED_GRADIENTS] = {"integrated-gradients",
                                         "what each pixel adds to the score, slow",
                                         SL_EXPLAINS_INPUT, TRUE, sl_maps_hires_cam},
    [SL_EXPLAIN_OCCLUSION] = {"occlusion", "what the score loses where a square is hidden, slow",
                              SL_EXPLAINS_INPUT, FALSE, NULL},
    [SL_EXPLAIN_RISE] = {"rise", "scores behind random masks, for any network, very slow",
                         SL_EXPLAINS_INPUT, FALSE, NULL},
};

const char *
sl_explain_method_get_name (SlExplainMethod method)
{
  g_return_val_if_fail (method < SL_EXPLAIN_METHOD_COUNT, NULL);
  return sl_methods[method].name;
}

const char *
sl_explain_method_get_help (SlExplainMethod method)
{
  g_return_val_if_fail (method < SL_EXPLAIN_METHOD_COUNT, NULL);
  return sl_methods[method].help;
}

gboolean
sl_explain_method_from_name (const char *name, SlExplainMethod *ret)
{
  for (uint32_t i = 0; i < SL_EXPLAIN_METHOD_COUNT; i++)
    if (strcmp (sl_methods[i].name, name) == 0) {
      *ret = (SlExplainMethod)i;
      return TRUE;
    }
  return FALSE;
}
