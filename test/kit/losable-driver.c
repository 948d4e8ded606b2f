/*
 * A Vulkan driver that loses its device: everything goes to the driver $LOSABLE_DRIVER, until the
 * file $LOSABLE_FLAG exists. From then on the queue answers VK_ERROR_DEVICE_LOST, as drivers do
 * after a reset. It needs no header of Vulkan: the loader asks for functions by name.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef void (*function)(void);
typedef function (*by_name)(void *owner, const char *name);
typedef int32_t (*queue_submit)(void *queue, uint32_t count, const void *submits, uint64_t fence);

static const int32_t device_lost = -4;
static by_name get_of_device;
static function real_submit;

static function real(const char *name) {
  static void *driver;
  if (!driver) driver = dlopen(getenv("LOSABLE_DRIVER"), RTLD_NOW | RTLD_LOCAL);
  return driver ? (function)dlsym(driver, name) : 0;
}

static int32_t submit(void *queue, uint32_t count, const void *submits, uint64_t fence) {
  const char *flag = getenv("LOSABLE_FLAG");
  if (flag && access(flag, F_OK) == 0) return device_lost;
  return ((queue_submit)real_submit)(queue, count, submits, fence);
}

static function replaced(const char *name, function found) {
  if (!found || strcmp(name, "vkQueueSubmit") != 0) return found;
  real_submit = found;
  return (function)submit;
}

static function get_device_function(void *device, const char *name) {
  return replaced(name, get_of_device(device, name));
}

EXPORT function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  by_name get = (by_name)real("vk_icdGetInstanceProcAddr");
  function found = get ? get(instance, name) : 0;
  if (!found || strcmp(name, "vkGetDeviceProcAddr") != 0) return replaced(name, found);
  get_of_device = (by_name)found;
  return (function)get_device_function;
}

EXPORT int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  int32_t (*negotiate)(uint32_t *) = (int32_t (*)(uint32_t *))real("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate ? negotiate(version) : -1;
}

EXPORT function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  by_name get = (by_name)real("vk_icdGetPhysicalDeviceProcAddr");
  return get ? get(instance, name) : 0;
}
