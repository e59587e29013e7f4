/* What g-ir-scanner cannot see in the headers: who owns what, and what may be NULL. Python and
 * other languages read metadata by it (namespace SightlineGst); nothing of it is compiled. */

/**
 * SECTION:metas
 * @title: Metadata
 * @short_description: labels, boxes and heat grids on buffers
 */

/**
 * sl_buffer_add_label_meta:
 * @buffer: a writable buffer
 * @producer: name of the element that says so
 * @model: (nullable): hash of its network
 *
 * Returns: (transfer none): the new meta, the buffer's
 */

/**
 * sl_buffer_get_label_meta:
 * @buffer: a buffer
 * @producer: (nullable): name of an element
 *
 * Returns: (transfer none) (nullable): the meta, the buffer's
 */

/**
 * sl_label_meta_get_label:
 * @meta: labels
 * @i: which, 0 is the best
 *
 * Returns: (transfer none) (nullable): the label, the meta's
 */

/**
 * sl_buffer_add_geometry_meta:
 * @buffer: a writable buffer
 * @producer: name of the element that says so
 * @model: (nullable): hash of its network
 *
 * Returns: (transfer none): the new meta, the buffer's
 */

/**
 * sl_buffer_get_geometry_meta:
 * @buffer: a buffer
 * @producer: (nullable): name of an element
 *
 * Returns: (transfer none) (nullable): the meta, the buffer's
 */

/**
 * sl_geometry_meta_get_box:
 * @meta: boxes
 * @i: which
 *
 * Returns: (transfer none) (nullable): the box, the meta's
 */

/**
 * sl_geometry_meta_get_heat:
 * @meta: a heat grid
 * @column: counted from the left
 * @row: counted from the top
 *
 * Returns: 0 … 1
 */

/**
 * sl_label_meta_get_info: (skip)
 */

/**
 * sl_geometry_meta_get_info: (skip)
 */
