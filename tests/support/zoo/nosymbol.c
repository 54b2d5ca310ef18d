/* A shared object that is no plugin. */
int zoo_nothing(void);

int zoo_nothing(void)
{
	return 0;
}
