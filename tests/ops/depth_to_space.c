#include "op_runner.h"

static const OpCase cases[] = {

    /* Of the specification. */
    {"dcr", "DepthToSpace",
     "1x8x2x3=0,1,2,3,4,5,9,10,11,12,13,14,18,19,20,21,22,23,27,28,29,30,31,32,36,37,38,39,40,41,"
     "45,46,47,48,49,50,54,55,56,57,58,59,63,64,65,66,67,68",
     "blocksize=2 mode=DCR", .shape = "1x2x4x6",
     .expected = "0,18,1,19,2,20,36,54,37,55,38,56,3,21,4,22,5,23,39,57,40,58,41,59,9,27,10,28,11,"
                 "29,45,63,46,64,47,65,12,30,13,31,14,32,48,66,49,67,50,68",
     .steps = "copy", .flags = OP_FOLLOWS},
    {"crd", "DepthToSpace",
     "1x8x2x3=0,1,2,3,4,5,9,10,11,12,13,14,18,19,20,21,22,23,27,28,29,30,31,32,36,37,38,39,40,41,"
     "45,46,47,48,49,50,54,55,56,57,58,59,63,64,65,66,67,68",
     "blocksize=2 mode=CRD", .shape = "1x2x4x6",
     .expected = "0,9,1,10,2,11,18,27,19,28,20,29,3,12,4,13,5,14,21,30,22,31,23,32,36,45,37,46,38,"
                 "47,54,63,55,64,56,65,39,48,40,49,41,50,57,66,58,67,59,68",
     .steps = "copy", .flags = OP_FOLLOWS},
    {"back", "SpaceToDepth",
     "1x1x4x6=0,6,1,7,2,8,12,18,13,19,14,20,3,9,4,10,5,11,15,21,16,22,17,23", "blocksize=2",
     .shape = "1x4x2x3",
     .expected = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
     .flags = OP_FOLLOWS},
    {"to-space-sizes", "DepthToSpace", "2x45x3x5", "blocksize=3", .shape = "2x5x9x15",
     .flags = OP_FOLLOWS},
    {"to-space-crd-sizes", "DepthToSpace", "2x45x3x5", "blocksize=3 mode=CRD", .flags = OP_FOLLOWS},
    {"to-depth-sizes", "SpaceToDepth", "2x5x9x6", "blocksize=3", .shape = "2x45x3x2",
     .flags = OP_FOLLOWS},
    {"block-1", "DepthToSpace", "2x5x3x4", "blocksize=1", .shape = "2x5x3x4", .flags = OP_FOLLOWS},
    {"one-pixel", "DepthToSpace", "1x16x1x1", "blocksize=4", .shape = "1x1x4x4"},
    {"bytes", "DepthToSpace", "u8 1x4x1x1=1,2,3,4", "blocksize=2", .expected = "1,2,3,4"},
    {"int64", "SpaceToDepth", "i64 1x1x2x2=1,2,3,4", "blocksize=2", .shape = "i64 1x4x1x1"},
    {"empty", "DepthToSpace", "0x8x2x3", "blocksize=2", .shape = "0x2x4x6"},
    {"opset-1", "DepthToSpace", "1x8x2x3", "blocksize=2", .opset = 10, .shape = "1x2x4x6"},

    {"missing", "DepthToSpace", "1x8x2x3", .error = "attribute blocksize is missing"},
    {"channels", "DepthToSpace", "1x6x2x3", "blocksize=2",
     .error = "an input of 1x6x2x3 has no whole blocks of 2x2 channels"},
    {"positions", "SpaceToDepth", "1x6x4x3", "blocksize=2",
     .error = "an input of 1x6x4x3 has no whole blocks of 2x2 positions"},
    {"rank", "SpaceToDepth", "6x4x4", "blocksize=2", .error = "in an input of 6x4x4"},
    {"block-0", "DepthToSpace", "1x8x2x3", "blocksize=0", .error = "blocks of 0"},
    {"mode", "DepthToSpace", "1x8x2x3", "blocksize=2 mode=RCD", .error = "attribute mode is 'RCD'"},
    {0},
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  op_add_cases ("depth_to_space", cases);
  return g_test_run ();
}
