/*
 * Gives a fuzz target the inputs in files, once each: where there is no
 * libFuzzer (gcc), and to look at one input.
 */
#include "fuzz.h"

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		static uint8_t room[1 << 20];
		FILE	   *file = fopen(argv[i], "rb");
		uint8_t    *input;
		size_t		size;

		if (file == NULL)
		{
			perror(argv[i]);
			return 1;
		}
		size = fread(room, 1, sizeof(room), file);
		fclose(file);
		/* of exactly this size, so that a read past the end is seen */
		input = malloc(size > 0 ? size : 1);
		CLAIM(input != NULL);
		memcpy(input, room, size);
		LLVMFuzzerTestOneInput(input, size);
		free(input);
	}
	return 0;
}
