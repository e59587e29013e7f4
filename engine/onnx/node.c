#include "onnx/node.h"

#include "core/limit.h"

#include "onnx/schema.h"

#include <sightline/error.h>

#include <string.h>

/* Numbers in one attribute: larger things come as tensors. */
#define MAX_LIST (1 << 20)

static SlNodeProto *
node_proto_new (size_t start)
{
  SlNodeProto *proto = g_new0 (SlNodeProto, 1);
  proto->start = start;
  proto->name = g_strdup ("");
  proto->op_type = g_strdup ("");
  proto->domain = g_strdup ("");
  proto->inputs = g_ptr_array_new_with_free_func (g_free);
  proto->outputs = g_ptr_array_new_with_free_func (g_free);
  proto->attributes = g_array_new (FALSE, FALSE, sizeof (SlWire));
  return proto;
}

void
sl_node_proto_free (SlNodeProto *proto)
{
  g_free (proto->name);
  g_free (proto->op_type);
  g_free (proto->domain);
  g_ptr_array_unref (proto->inputs);
  g_ptr_array_unref (proto->outputs);
  g_array_unref (proto->attributes);
  g_free (proto);
}

const char *
sl_node_proto_label (const SlNodeProto *proto)
{
  if (proto->name[0] != '\0' || proto->outputs->len == 0)
    return proto->name;
  return g_ptr_array_index (proto->outputs, 0);
}

static bool
read_end (SlWire *wire, const SlWireField *field, uint32_t limit, GPtrArray *ends)
{
  char *name = NULL;
  if (ends->len >= limit)
    return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start,
                         "a node has more than %u inputs or outputs" SL_LIMIT_HINT ("ends"), limit);
  if (!sl_wire_name (wire, field, &name))
    return false;
  g_ptr_array_add (ends, name);
  return true;
}

static bool
read_node_field (SlWire *wire, const SlWireField *field, uint32_t max_ends, SlNodeProto *proto)
{
  SlWire attribute;
  switch (field->number) {
  case NODE_INPUT:
    return read_end (wire, field, max_ends, proto->inputs);
  case NODE_OUTPUT:
    return read_end (wire, field, max_ends, proto->outputs);
  case NODE_NAME:
    return sl_wire_name (wire, field, &proto->name);
  case NODE_OP_TYPE:
    return sl_wire_name (wire, field, &proto->op_type);
  case NODE_DOMAIN:
    return sl_wire_name (wire, field, &proto->domain);
  case NODE_OVERLOAD:
    return field->length == 0 ||
           sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, field->start,
                         "node '%s' calls an overloaded function", proto->name);
  case NODE_ATTRIBUTE:
    if (!sl_wire_enter (wire, field, "AttributeProto", &attribute))
      return false;
    if (proto->attributes->len == SL_NODE_MAX_ATTRIBUTES)
      return sl_wire_fail (wire, SL_ERROR_LIMIT, field->start,
                           "node '%s' has more than %d attributes", sl_node_proto_label (proto),
                           SL_NODE_MAX_ATTRIBUTES);
    g_array_append_val (proto->attributes, attribute);
    return true;
  default:
    return true;
  }
}

SlNodeProto *
sl_onnx_node_read (SlWire *wire, uint32_t max_ends)
{
  g_autoptr (SlNodeProto) proto = node_proto_new (wire->pos);
  SlWireField field;
  while (sl_wire_next (wire, &field))
    if (!read_node_field (wire, &field, max_ends, proto))
      return NULL;
  if (wire->failed)
    return NULL;
  if (strcmp (proto->domain, "ai.onnx") == 0)
    proto->domain[0] = '\0';
  if (proto->op_type[0] == '\0') {
    sl_wire_fail (wire, SL_ERROR_MALFORMED, proto->start, "node '%s' names no operator",
                  sl_node_proto_label (proto));
    return NULL;
  }
  return g_steal_pointer (&proto);
}

/* An AttributeProto in the making: `seen` says which kinds of content it holds. */
typedef struct {
  SlRawAttr attr;
  GArray *ints, *floats;
  int64_t type; /* as stated */
  uint32_t seen;
} AttrProto;

static void
raw_attr_clear (void *data)
{
  SlRawAttr *attr = data;
  g_free (attr->name);
  g_free (attr->s);
  g_clear_pointer (&attr->tensor, sl_tensor_unref);
  g_free (attr->ints);
  g_free (attr->floats);
}

static bool
check_list (SlWire *wire, const SlWireField *field, size_t count, const GArray *list)
{
  return count <= MAX_LIST - list->len ||
         sl_wire_fail (wire, SL_ERROR_LIMIT, field->start,
                       "an attribute lists more than %d numbers", MAX_LIST);
}

static bool
read_ints (SlWire *wire, const SlWireField *field, GArray *ints)
{
  SlWire numbers;
  size_t count;
  uint64_t value;
  if (!sl_wire_numbers (wire, field, SL_WIRE_VARINT, &numbers, &count) ||
      !check_list (wire, field, count, ints))
    return false;
  while (numbers.pos < numbers.end && sl_wire_get_varint (&numbers, &value))
    g_array_append_val (ints, value);
  return sl_wire_leave (wire, &numbers);
}

static bool
read_floats (SlWire *wire, const SlWireField *field, GArray *floats)
{
  SlWire numbers;
  size_t count;
  if (!sl_wire_numbers (wire, field, SL_WIRE_FIXED32, &numbers, &count) ||
      !check_list (wire, field, count, floats))
    return false;
  g_array_append_vals (floats, numbers.data + numbers.pos, (guint)count);
  return true;
}

static bool
read_tensor (SlTensorSource *source, SlWire *wire, const SlWireField *field, SlRawAttr *attr)
{
  SlWire tensor;
  if (!sl_wire_enter (wire, field, "TensorProto", &tensor))
    return false;
  g_clear_pointer (&attr->tensor, sl_tensor_unref);
  attr->tensor = sl_onnx_tensor_read (source, &tensor, NULL);
  return sl_wire_leave (wire, &tensor);
}

static bool
read_attr_field (SlTensorSource *source, SlWire *wire, const SlWireField *field, AttrProto *proto)
{
  switch (field->number) {
  case ATTR_NAME:
    return sl_wire_name (wire, field, &proto->attr.name);
  case ATTR_TYPE:
    return sl_wire_int (wire, field, &proto->type);
  case ATTR_F:
    proto->seen |= 1u << ATTR_TYPE_FLOAT;
    return sl_wire_float (wire, field, &proto->attr.f);
  case ATTR_I:
    proto->seen |= 1u << ATTR_TYPE_INT;
    return sl_wire_int (wire, field, &proto->attr.i);
  case ATTR_S:
    proto->seen |= 1u << ATTR_TYPE_STRING;
    return sl_wire_text (wire, field, SL_WIRE_MAX_NAME, &proto->attr.s);
  case ATTR_T:
    proto->seen |= 1u << ATTR_TYPE_TENSOR;
    return read_tensor (source, wire, field, &proto->attr);
  case ATTR_FLOATS:
    proto->seen |= 1u << ATTR_TYPE_FLOATS;
    return read_floats (wire, field, proto->floats);
  case ATTR_INTS:
    proto->seen |= 1u << ATTR_TYPE_INTS;
    return read_ints (wire, field, proto->ints);
  case ATTR_STRINGS:
    proto->seen |= 1u << ATTR_TYPE_STRINGS;
    return true;
  case ATTR_G:
    proto->seen |= 1u << ATTR_TYPE_GRAPH;
    return true;
  case ATTR_GRAPHS:
    proto->seen |= 1u << ATTR_TYPE_GRAPHS;
    return true;
  case ATTR_REF_ATTR_NAME:
    return field->length == 0 ||
           sl_wire_fail (wire, SL_ERROR_MALFORMED, field->start,
                         "refers to an attribute of a function (expected a value)");
  default:
    return true;
  }
}

/* The kind that the attribute states, or in files of before 2017 the one kind that it holds. */
static bool
settle_type (SlWire *wire, size_t start, AttrProto *proto)
{
  static const SlRawType kinds[] = {
      [ATTR_TYPE_FLOAT] = SL_RAW_FLOAT,   [ATTR_TYPE_INT] = SL_RAW_INT,
      [ATTR_TYPE_STRING] = SL_RAW_STRING, [ATTR_TYPE_TENSOR] = SL_RAW_TENSOR,
      [ATTR_TYPE_GRAPH] = SL_RAW_OTHER,   [ATTR_TYPE_FLOATS] = SL_RAW_FLOATS,
      [ATTR_TYPE_INTS] = SL_RAW_INTS,     [ATTR_TYPE_STRINGS] = SL_RAW_STRINGS,
  };
  SlRawAttr *attr = &proto->attr;
  int64_t type = proto->type;
  if (type == ATTR_TYPE_UNDEFINED && proto->seen != 0 && (proto->seen & (proto->seen - 1)) == 0)
    type = g_bit_nth_lsf (proto->seen, -1);
  if (type == ATTR_TYPE_UNDEFINED)
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, start, "attribute '%s' has no type", attr->name);
  if (type == ATTR_TYPE_GRAPH || type == ATTR_TYPE_GRAPHS)
    return sl_wire_fail (wire, SL_ERROR_UNSUPPORTED, start, "attribute '%s' is a subgraph",
                         attr->name);
  attr->type = type > 0 && type < (int64_t)G_N_ELEMENTS (kinds) ? kinds[type] : SL_RAW_OTHER;

  /* Some writers leave out a zero, an empty string and an empty list: nothing at all is that. */
  const bool is_known = attr->type != SL_RAW_OTHER;
  if (is_known && proto->seen != 0 && !(proto->seen & 1u << type))
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, start,
                         "attribute '%s' holds another kind than it states", attr->name);
  if (attr->type == SL_RAW_TENSOR && attr->tensor == NULL)
    return sl_wire_fail (wire, SL_ERROR_MALFORMED, start, "attribute '%s' holds no tensor",
                         attr->name);
  if (attr->type == SL_RAW_STRING && attr->s == NULL)
    attr->s = g_strdup ("");
  return true;
}

/* Takes over what the lists hold. */
static void
settle_lists (AttrProto *proto)
{
  SlRawAttr *attr = &proto->attr;
  attr->n = attr->type == SL_RAW_FLOATS ? proto->floats->len : proto->ints->len;
  attr->ints = (int64_t *)g_array_free (g_steal_pointer (&proto->ints), FALSE);
  attr->floats = (float *)g_array_free (g_steal_pointer (&proto->floats), FALSE);
}

static bool
read_attr (SlTensorSource *source, SlWire *wire, SlRawAttr *ret)
{
  const size_t start = wire->pos;
  AttrProto proto = {.attr.name = g_strdup ("")};
  proto.ints = g_array_new (FALSE, FALSE, sizeof (int64_t));
  proto.floats = g_array_new (FALSE, FALSE, sizeof (float));

  SlWireField field;
  while (sl_wire_next (wire, &field))
    if (!read_attr_field (source, wire, &field, &proto))
      break;
  bool ok = !wire->failed && settle_type (wire, start, &proto);
  settle_lists (&proto);
  *ret = proto.attr;
  return ok;
}

static bool
check_unique (SlWire *wire, size_t start, const GArray *attrs)
{
  const char *last = g_array_index (attrs, SlRawAttr, attrs->len - 1).name;
  for (guint i = 0; i + 1 < attrs->len; i++)
    if (strcmp (g_array_index (attrs, SlRawAttr, i).name, last) == 0)
      return sl_wire_fail (wire, SL_ERROR_MALFORMED, start, "attribute '%s' stands twice", last);
  return true;
}

GArray *
sl_onnx_attrs_read (SlTensorSource *source, const SlNodeProto *proto, GError **error)
{
  g_autoptr (GArray) attrs = g_array_new (FALSE, TRUE, sizeof (SlRawAttr));
  g_array_set_clear_func (attrs, raw_attr_clear);
  for (guint i = 0; i < proto->attributes->len; i++) {
    SlWire wire = g_array_index (proto->attributes, SlWire, i);
    const size_t start = wire.pos;
    wire.error = error;
    g_array_set_size (attrs, i + 1);
    if (read_attr (source, &wire, &g_array_index (attrs, SlRawAttr, i)) &&
        check_unique (&wire, start, attrs))
      continue;
    g_prefix_error (error, "node '%s' (%s): ", sl_node_proto_label (proto), proto->op_type);
    return NULL;
  }
  return g_steal_pointer (&attrs);
}
